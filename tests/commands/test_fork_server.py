"""A forked command does what a real process does: the server of `support.forked` hides no difference."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import forked
from support.baking import DEFAULTS, Baker
from support.database_state import dump
from support.projects import INITIAL, PRODUCT, Project, environment

pytestmark = pytest.mark.slow

SEEN = """
import os, random, signal, sys
print(sys.argv, os.getcwd(), sys.path[0], sys.flags.utf8_mode, sys.stdin.read(), sys.stdout.isatty())
print(sorted((k, v) for k, v in os.environ.items() if k not in ("SHLVL", "_", "LC_CTYPE")))
print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), oct(os.umask(0)), __name__)
print(sys.stdout.encoding, sys.stderr.errors, sorted(int(n) for n in os.listdir("/proc/self/fd"))[:3])
print([name for name in sys.modules if name.split(".")[0] in ("app", "dbkit", "alembic_postgresql_enum")])
print("to stderr", file=sys.stderr)
"""
COMMANDS = [
    ["-m", "alembic", "upgrade", "head"],
    ["-m", "dbkit", "migrate"],
    ["-m", "dbkit", "migrate", "nope"],
    ["-m", "dbkit", "sideways"],
    ["-m", "dbkit", "--help"],
    ["-m", "alembic", "current", "--verbose"],
    ["-m", "dbkit", "migration-sql"],
    ["-m", "dbkit", "migration", "add products"],
    ["-m", "dbkit", "migration-check"],
    ["-m", "alembic", "downgrade", "base"],
    ["-c", SEEN, "an argument"],
    ["-c", "raise SystemExit('a text')"],
    ["-c", "import sys; sys.exit(3)"],
    ["-c", "1 / 0"],
    ["-c", "import atexit; atexit.register(print, 'at the end')"],
    ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
]


def real(project: Project, arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    """The command as a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project.path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )


def told(result: "subprocess.CompletedProcess[str]", project: Project) -> tuple[object, ...]:
    """Status and output, without what differs from one run to the next."""
    texts = []
    for text in (result.stdout, result.stderr):
        text = text.replace(str(project.path), "PROJECT")
        text = re.sub(r"\d+\.\d\d s|\b[0-9a-f]{12}\b|\d{8}_\d{4}|\d{4}-\d\d-\d\d [\d:.+]+", "X", text)
        text = re.sub(r'  File "<frozen runpy>".*\n(    .*\n)*', "", text)
        texts.append(text)
    return result.returncode, texts[0], texts[1]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_forked_commands_and_real_ones_print_return_and_leave_the_same(
    request: pytest.FixtureRequest, dialect: str, tmp_path: Path
) -> None:
    one: Project = request.getfixturevalue(f"{dialect}_project")
    other = Project.adopt(one.path, tmp_path / "other", one.url)
    if dialect == "postgresql":
        server = request.getfixturevalue("postgres_server")
        other = Project(other.path, server.create_database())
        other.write(".env", f"DATABASE_URL={other.url}\n")
    for project in (one, other):
        project.write("app/models/product.py", PRODUCT)
    for command in COMMANDS:
        answers = told(one.run(sys.executable, *command), one), told(real(other, command), other)
        names = [url.rpartition("/")[2] for url in (one.url, other.url)]
        first, second = (
            tuple(str(part).replace(name, "DATABASE") for part in answer)
            for answer, name in zip(answers, names, strict=True)
        )
        assert first == second, command
    assert len(one.revisions("add_products")) == len(other.revisions("add_products")) == 1
    assert re.sub(r"\S*[0-9a-f]{12}\S*", "", dump(one)) == re.sub(r"\S*[0-9a-f]{12}\S*", "", dump(other))


def test_make_calls_the_server_and_a_python_that_it_cannot_fork_is_real(sqlite_project: Project) -> None:
    project = sqlite_project
    python = str(project.path / ".venv" / "bin" / "python")
    code = "import sys; print('cookiecutter.cli' in sys.modules)"
    assert project.run(python, "-c", code).stdout == "True\n"
    assert project.run(python, "-c", code, variables={"PYTHONWARNINGS": "error"}).stdout == "False\n"
    assert project.run(python, "-m", "ruff", "--version").stdout.startswith("ruff")
    assert INITIAL in project.make("migrate").stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_for_the_command_that_make_calls_reaches_the_forked_process(
    sqlite_project: Project, number: signal.Signals
) -> None:
    project = sqlite_project
    code = "import time\ntry: print('begun', flush=True), time.sleep(60)\nfinally: print('ended', flush=True)"
    with subprocess.Popen(
        [project.path / ".venv" / "bin" / "python", "-c", code],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        begun = time.monotonic()
        process.send_signal(number)
        rest = process.stdout.read()
    assert time.monotonic() - begun < 10
    assert process.returncode == -number
    assert rest == ("" if number is signal.SIGTERM else "ended\n")


def test_a_forked_bake_is_that_of_a_real_cookiecutter(template: Path, tmp_path: Path) -> None:
    made = []
    for name in ("forked", "real"):
        folder = tmp_path / name
        folder.mkdir()
        baker = Baker(template, folder)
        if name == "real":
            baker.python = [*["env"], sys.executable]
        project = baker(project_name=DEFAULTS["project_name"])
        shutil.rmtree(project / ".git")
        (project / ".env").unlink()  # with a password of its own
        made.append(
            {path.relative_to(project): path.read_bytes() for path in project.rglob("*") if path.is_file()}
        )
    assert made[0] == made[1]


def test_a_command_that_hangs_is_ended(sqlite_project: Project) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run(
            ["-c", "import time; time.sleep(60)"], cwd=sqlite_project.path, env=environment(), timeout=0.5
        )
