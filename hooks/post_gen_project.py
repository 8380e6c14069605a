"""Finish a fresh project: its .env with a password of its own, a Git repository, and what to type next.

A failure here makes cookiecutter delete the project, so nothing but a broken disk may fail.
"""

import hashlib
import os
import secrets
import shlex
import shutil
import string
import subprocess
import sys
from pathlib import Path

PLACEHOLDER = "CHANGE_ME"  # in .env.example
WITH_REDIS: str = "{{ cookiecutter.redis }}"
REDIS = (
    "app/api/redis.py",
    "app/redis.py",
    "dbkit/devserver/redis",
    "tests/fixtures_redis.py",
    "tests/test_redis.py",
)


def remove_caches() -> None:
    """Remove what tools left in the checkout of the template, which cookiecutter has copied."""
    for pattern in (".*_cache", "[a-z]*/**/__pycache__"):  # none of .venv, when an old project is baked over
        for folder in list(Path().glob(pattern)):
            shutil.rmtree(folder, ignore_errors=True)


def choose_workflow() -> None:
    """Keep the CI of the database that the revisions are written for."""
    workflows = Path(".github/workflows")
    (workflows / "ci-{{ cookiecutter.database }}.yml").replace(workflows / "ci.yml")
    for other in workflows.glob("ci-*.yml"):
        other.unlink()


def remove_redis() -> None:
    """Remove what is about Redis from a project without it: whole files, which nothing else imports."""
    for path in (Path(name) for name in REDIS):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def make_password() -> str:
    """Return letters and digits, which need no escaping, neither in a URL nor in a shell."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(32))


def write_env() -> None:
    """Write .env for its owner's eyes only. One that is there stays: the database knows its password."""
    # Each server gets a password of its own.
    first, *rest = Path(".env.example").read_text(encoding="utf-8").split(PLACEHOLDER)
    content = first + "".join(make_password() + part for part in rest)
    try:
        descriptor = os.open(".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print("Kept the .env that was there.")
        return
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(content)


def write_checksums() -> None:
    """Write the SHA-256 of each file of the kit, as `sha256sum` does, to tell later whether it was edited.

    `python -m dbkit version` compares them.
    """
    kit = Path("dbkit")
    files = sorted(path for path in kit.rglob("*") if path.is_file() and path.name != "CHECKSUMS")
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(kit).as_posix()}\n"
        for path in files
        if "__pycache__" not in path.parts
    ]
    (kit / "CHECKSUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


def init_git() -> None:
    """Make a repository without a commit: the lock file and the owner's identity come first."""
    if Path(".git").exists():
        return
    # Inside a Git hook these name the repository of that hook.
    elsewhere = {"GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE"}
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    # `git init --initial-branch` is younger than some Gits in use; those ignore the setting.
    command = ["git", "-c", "init.defaultBranch=main", "init", "--quiet"]
    try:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    except OSError as error:
        print(f"No Git repository: git does not run here ({error.strerror}).")
        return
    if result.returncode != 0:
        reason = " ".join(result.stderr.split()) or f"exit status {result.returncode}"
        print(f"No Git repository: git init failed ({reason}).")


def print_next_steps() -> None:
    """Print commands that work when they are pasted, whatever the folder is called."""
    folder = Path.cwd()
    print(
        f"""
{folder.name} is ready. Next:

  cd {shlex.quote(str(folder))}
  make db-up      # start the development database
  make migrate    # create its tables
  make run        # serve on http://127.0.0.1:8000
"""
    )


# A folder's name may be more than the terminal's encoding can say.
sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a TextIOWrapper
remove_caches()
choose_workflow()
if WITH_REDIS != "yes":
    remove_redis()
write_env()
write_checksums()
init_git()
print_next_steps()
