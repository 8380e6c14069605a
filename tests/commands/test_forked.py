"""Commands do the same in a forked child as in a process of their own: output, status, files, databases."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.baking import Baker, files
from support.commands import ALEMBIC, fork_server, kit
from support.database_state import add_revision, dump
from support.processes import wait_until
from support.projects import Project, environment, like_others, refusal

pytestmark = pytest.mark.first_on("postgresql")

Run = Callable[..., "subprocess.CompletedProcess[str]"]
# What a command sees of itself.
PROBE = """
import json, os, random, secrets, signal, sys, threading
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
handlers = {name: str(signal.getsignal(getattr(signal, name))) for name in ("SIGINT", "SIGTERM", "SIGPIPE")}
streams = (sys.stdin, sys.stdout, sys.stderr)
print(json.dumps({
    "argv": sys.argv,
    "buffering": [stream.line_buffering for stream in streams[1:]],
    "encodings": [(stream.encoding, stream.errors, stream.name) for stream in streams],
    "environment": dict(os.environ),
    "executable": os.path.dirname(sys.executable),
    "flags": str(sys.flags),
    "folder": os.getcwd(),
    "handlers": handlers,
    "masks": [status[name].strip() for name in ("SigBlk", "SigIgn", "SigCgt", "Umask", "Uid", "CapEff")],
    "modules": [name for name in sys.modules if name.split(".")[0] in ("app", "dbkit")],
    "open": sorted(os.listdir("/proc/self/fd"))[:-1],
    "path": sys.path,
    "prefix": sys.prefix,
    "stdin": sys.stdin.read(),
    "threads": threading.active_count(),
    "tty": [stream.isatty() for stream in streams],
    "warnings": sys.warnoptions,
}, sort_keys=True))
print(random.random(), secrets.token_hex(), os.getpid(), file=sys.stderr)
"""
ENDINGS = {
    "exit": "import sys; sys.exit('a last word')",
    "minus one": "import sys; sys.exit(-1)",
    "many": "import sys; print('out'); sys.exit(300)",
    "error": "def f():\n    raise ValueError('no')\nf()",
    "interrupted": "raise KeyboardInterrupt",
    "thread": "import threading\nthreading.Timer(0.2, print, ['late']).start()",
    "at exit": "import atexit\natexit.register(print, 'one')\natexit.register(print, 'two')",
    "destroyed": "class A:\n    def __del__(self): print('gone')\na = A()",
    "signal": "import os\nos.kill(os.getpid(), 9)",
    "unbuffered": "import os\nprint('printed')\nos._exit(3)",
}
COMMANDS = [
    (*ALEMBIC, "upgrade", "head"),
    (*ALEMBIC, "current", "--verbose"),
    (*ALEMBIC, "history"),
    (*ALEMBIC, "upgrade", "head", "--sql"),
    (*ALEMBIC, "upgrade", "+5"),
    (*ALEMBIC, "check"),
    (*ALEMBIC, "nonsense"),
    (*ALEMBIC, "--help"),
    kit("migration-check"),
    kit("migration-log"),
    kit("migrate-test"),
    kit("db-test"),
    kit("db-up"),
    kit("nonsense"),
    (*ALEMBIC, "downgrade", "base"),
    ("-m", "ruff", "check"),
    (*ALEMBIC, "revision", "--autogenerate", "-m", "x"),
    (*ALEMBIC, "revision", "-m", "generated", "--rev-id", "abcabcabcabc"),
    (*ALEMBIC, "revision", "-m", "again", "--rev-id", "abcabcabcabc"),
]


def process(
    project: Project, program: str, *arguments: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run a program of the project's environment."""
    return subprocess.run(
        [project.path / ".venv" / "bin" / program, *arguments],
        cwd=project.path,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )


def really(project: Project, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run Python as a process of its own."""
    return process(project, "real-python", *arguments, **variables)


def as_make_does(project: Project, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the program that asks the fork server."""
    return process(project, "python", *arguments, **variables)


def in_a_child(project: Project, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Ask the fork server from here, as `Project.run` does."""
    shell = environment(**variables)
    server = fork_server(shell)
    assert server
    result = server.run(arguments, folder=project.path, environment=shell, executable=project.interpreter)
    assert result, "a real process would run this"
    return result


both_roads = pytest.mark.parametrize("run", [as_make_does, in_a_child])


def outcome(project: Project, result: "subprocess.CompletedProcess[str]") -> tuple[int, str, str]:
    """What a command did, but for what differs each time."""
    said = []
    for text in (result.stdout, result.stderr):
        text = text.replace(str(project.path), "PROJECT").replace("real-python", "python")
        text = text.replace(project.url.rpartition("/")[2], "DATABASE")
        text = re.sub(r"\b\d+\.\d\d+\b|\b[\d.]+ m?s\b|\d{4}-\d\d-\d\d[ T][\d:.]+", "TIME", text)
        said.append(re.sub(r"_throwaway_\w+|line \d+, in _run|\d{8}_\d{4}_", "", text))
    return result.returncode, said[0], said[1]


def seen(project: Project, result: "subprocess.CompletedProcess[str]") -> dict[str, object]:
    """What the probe saw."""
    status, out, _ = outcome(project, result)
    assert status == 0, result.stderr
    return dict(json.loads(out))


@both_roads
def test_a_command_sees_the_same_world(sqlite_project: Project, run: Run) -> None:
    project = sqlite_project
    project.write("dbkit/__main__.py", PROBE)
    arguments = (*kit("größe"), "--flag", "two words", "")
    variables = {"WORDS": "a b\nc", "TZ": "Asia/Tokyo", "HOME": "/nowhere"}
    before = os.umask(0o027)
    try:
        forked, real = (road(project, *arguments, **variables) for road in (run, really))
    finally:
        os.umask(before)
    assert seen(project, forked) == seen(project, real)


@both_roads
def test_code_on_the_command_line_sees_the_same_world(sqlite_project: Project, run: Run) -> None:
    project = sqlite_project
    forked, real = (road(project, "-c", PROBE, "--flag") for road in (run, really))
    assert seen(project, forked) == seen(project, real)


@both_roads
def test_chance_and_process_are_new_each_time(sqlite_project: Project, run: Run) -> None:
    sqlite_project.write("dbkit/__main__.py", PROBE)
    drawn = [run(sqlite_project, *kit("x")).stderr.split() for _ in range(3)]
    for values in zip(*drawn, strict=True):
        assert len(set(values)) == 3


@both_roads
@pytest.mark.parametrize("code", ENDINGS.values(), ids=ENDINGS)
def test_a_command_ends_the_same_way(sqlite_project: Project, run: Run, code: str) -> None:
    project = sqlite_project
    project.write("dbkit/__main__.py", code)
    forked, real = (outcome(project, road(project, *kit("x"))) for road in (run, really))
    assert forked == real


def copies(project: Project, other: Project) -> tuple[Project, Project]:
    """Give two projects the same revisions, one of which fails."""
    for each in (project, other):
        add_revision(each, 'op.execute("CREATE TABLE one (id INTEGER)")', downgrade='op.drop_table("one")')
        add_revision(each, 'op.execute("nonsense")')
    return project, other


@pytest.fixture
def other(
    project: Project, request: pytest.FixtureRequest, compiled_project: Path, tmp_path: Path
) -> Project:
    """A second project, on a database of its own."""
    url = project.url
    if project.dialect == "postgresql":
        url = request.getfixturevalue("postgres_server").create_database()
    return Project.adopt(compiled_project, tmp_path / "other", url)


@pytest.mark.long
@pytest.mark.slow
def test_commands_print_and_leave_the_same(project: Project, other: Project) -> None:
    copies(project, other)
    for number, arguments in enumerate(COMMANDS):
        road = (as_make_does, in_a_child)[number % 2]
        forked = outcome(project, road(project, *arguments))
        real = outcome(other, really(other, *arguments))
        assert forked == real, arguments
    assert dump(project) == dump(other)
    generated = [each.revisions("generated") for each in (project, other)]
    texts = [re.sub(r"Create Date.*", "", path.read_text("utf-8")) for [path] in generated]
    assert texts[0] == texts[1]


def test_a_signal_reaches_the_child_and_its_end_the_caller(sqlite_project: Project, tmp_path: Path) -> None:
    project = sqlite_project
    begun = tmp_path / "begun"
    project.write(
        "dbkit/__main__.py", f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(60)"
    )
    ends = []
    for program in ("python", "real-python"):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            running = subprocess.Popen(
                [project.path / ".venv" / "bin" / program, *kit("x")],
                cwd=project.path,
                env=environment(),
                stderr=subprocess.PIPE,
                text=True,
            )
            wait_until(begun.exists)
            running.send_signal(number)
            _, said = running.communicate(timeout=10)
            ends.append((running.returncode, said.splitlines()[-1:]))
            begun.unlink()
    assert ends[:3] == ends[3:]
    assert [status for status, _ in ends[:3]] == [-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP]


def test_a_child_ends_with_whoever_asked_for_it(sqlite_project: Project, tmp_path: Path) -> None:
    project, file = sqlite_project, tmp_path / "pid"
    project.write(
        "dbkit/__main__.py",
        f"import os, pathlib, time\npathlib.Path({str(file)!r}).write_text(str(os.getpid()))\ntime.sleep(60)",
    )
    running = subprocess.Popen(
        [project.interpreter, *kit("x")], cwd=project.path, env=environment(), stdout=subprocess.DEVNULL
    )
    wait_until(lambda: file.exists() and file.read_text())
    running.kill()
    running.wait()
    wait_until(lambda: not Path(f"/proc/{file.read_text()}").exists())


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("-X", "dev", *kit("x")), {}),
        (("-m", "app"), {}),
        (kit("x"), {"PYTHONWARNINGS": "error"}),
        (kit("x"), {"PYTHONPATH": "/nowhere"}),
        (kit("x"), {"LC_ALL": "C"}),
        (("-m", "cookiecutter"), {"HOME": "/nowhere"}),
        (kit("x"), {"REAL_PROCESSES": "1"}),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_the_interpreter_decides_at_its_start_takes_a_real_process(
    sqlite_project: Project, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    shell = environment(**variables)
    server = fork_server(shell)
    if server:
        assert server.run(arguments, folder=sqlite_project.path, environment=shell) is None


def test_a_bake_makes_the_same_files(template: Path, tmp_path: Path) -> None:
    made: list[dict[str, bytes]] = []
    for variables in ({}, {"REAL_PROCESSES": "1"}):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        baker = Baker(template, folder)
        baker.environment |= variables
        project = baker()
        made.append({name: (project / name).read_bytes() for name in files(project) if name != ".env"})
    assert made[0] == made[1]


def test_a_command_that_hangs_is_ended(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("dbkit/__main__.py", "import time\ntime.sleep(60)")
    server = fork_server(environment())
    assert server
    with pytest.raises(subprocess.TimeoutExpired):
        server.run(kit("x"), folder=project.path, environment=environment(), seconds=0.5)


def test_whoever_has_fewer_rights_than_the_server_gets_a_real_process(sqlite_project: Project) -> None:
    project = sqlite_project
    (project.path / ".env").chmod(0)
    python = str(project.path / ".venv" / "bin" / "python")
    result = project.run(*like_others(), python, *ALEMBIC, "current")
    assert ".env cannot be read: PermissionError" in refusal(result)


def test_what_is_written_into_the_kit_of_one_project_is_not_in_that_of_others(
    compiled_project: Path, tmp_path: Path
) -> None:
    one, other = (Project.adopt(compiled_project, tmp_path / name, "none") for name in ("one", "other"))
    before = (other.path / "dbkit/errors.py").read_text("utf-8")
    one.write("dbkit/errors.py", "")
    one.edit("dbkit/config.py", "import", "import os; import")
    assert (other.path / "dbkit/errors.py").read_text("utf-8") == before
    assert (compiled_project / "dbkit/errors.py").read_text("utf-8") == before
    assert "import os; " not in (other.path / "dbkit/config.py").read_text("utf-8")
