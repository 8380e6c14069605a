"""Both Makefiles: order, the environment that they make, and what they may use on macOS."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.baking import CHECKOUT
from support.hostile_text import HOSTILE
from support.projects import Project, environment, ok, refusal

PROJECT = CHECKOUT / "{{cookiecutter.project_slug}}"
SHOW = """
.PHONY: show
show:
	@$(PY) -c 'import json, os, sys; print(json.dumps([os.environ.get(n) for n in sys.argv[1:]]))' $$NAMES
"""


def nothing_ran(folder: Path) -> bool:
    return not any(path.name == "x" for path in folder.rglob("x"))


# What GNU make has since 3.82: the NEWS of https://git.savannah.gnu.org/cgit/make.git
NEWER_MAKE = (
    r"\.(ONESHELL|SHELLFLAGS|RECIPEPREFIX|EXTRA_PREREQS|SHELLSTATUS|WAIT|NOTINTERMEDIATE|LOADED|FEATURES)\b",
    r"\$[({](file|guile|let|intcmp)\b",
    r"^ *(undefine|-?load)\b",
    r"(^|: *)private\b",
    r"^ *define +\S+ *[:+?!]*=",
    r"^[^\t#:=]*!=",
    r"^[^\t#=]*::+=",
    r"^[^\t#]*&:",
    r"(^|\s)(-O|--output-sync|--trace|--shuffle|--eval|--jobserver-style)\b",
)
# What GNU's tools have and those of BSD, or POSIX, do not.
NEWER_TOOLS = (
    r"\bsed +(-\w*[iz]|--)",
    r"\bgrep +(-\w*[PT]|--)",
    r"\bdate +(-\w*d|--|-Iseconds)",
    r"\breadlink +-\w*[fem]",
    r"\bstat +(-\w*c|--)",
    r"\bxargs +(-\w*[rd]|--)",
    r"\bmktemp( *$| *\)| *[;&|])",
    r"\bsort +(-\w*[Vhz]|--)",
    r"(?<!\$\()\brealpath\b|\$\$\(realpath\b",
    r"\b(timeout|nproc|tac|sha256sum|md5sum|sha1sum|setsid|flock|shuf|numfmt|truncate|gawk|envsubst)\b",
    r"\b(cp|mv|ln|rm|mkdir|touch|chmod|ls|cat|head|tail|du|wc|cut|tr|ps|uname) +--\w",
    r"\b(cp|mv|install) +-\w*t\b|\bln +-\w*[rT]|\bcp +-\w*u",
    r"\b(head|tail) +-(n|c) *-\d",
    r"\bfind\b.*-(printf|regextype|quit)\b|\bfind +-",
    r"\bdu +-\w*b",
    r"\becho +-[ne]",
    r"\b(gensub|strftime|systime|asorti?|strtonum|patsplit|PROCINFO|RT|BEGINFILE)\b",
    r"\[\[|<<<|\bfunction +\w+ *\{|\bpipefail\b|\$\$'",
)


def too_new(makefile: str) -> list[str]:
    """Return the lines that make 3.81, BSD's tools or a POSIX shell would not understand."""
    patterns = [re.compile(pattern) for pattern in NEWER_MAKE + NEWER_TOOLS]
    lines = [line for line in makefile.splitlines() if not line.lstrip().startswith("#")]
    return [line for line in lines if any(pattern.search(line) for pattern in patterns)]


@pytest.mark.parametrize(
    "makefile", [CHECKOUT / "Makefile", PROJECT / "Makefile"], ids=["template", "project"]
)
def test_a_makefile_keeps_to_what_macos_has(makefile: Path) -> None:
    assert too_new(makefile.read_text("utf-8")) == []
    assert "SHELL := /bin/sh\n" in makefile.read_text("utf-8")


NEWER = r"""
.ONESHELL:
.SHELLFLAGS := -eu -c
$(file >x,y)
V := $(let a b,1 2,$a)
x: private CFLAGS := 1
undefine X
X != date
X ::= y
define RULE =
a b &: c
MAKEFLAGS += --output-sync
	@sed -i s/a/b/ file
	@grep -oP 'x' file
	@date -d yesterday
	@readlink -f x
	@stat -c %s x
	@find . | xargs -r rm
	@T=$$(mktemp)
	@sort -V x
	@cd "$$(realpath x)"
	@timeout 5 x
	@x -j $$(nproc)
	@cp -t there x
	@rm --recursive x
	@head -n -1 x
	@echo -n x
	@find . -printf %f
	@awk '{print gensub(/a/, "b", 1)}' x
	@[[ -e x ]]
""".strip().splitlines()


def test_the_check_of_makefiles_notices_each_of_these() -> None:
    assert too_new("\n".join(NEWER)) == NEWER


# Of the values a message has to survive, those that are not about a revision file.
VALUES = {
    **HOSTILE,
    "a function": "$(shell touch x)",
    "open": "costs $(5",
    "semicolon": "; touch x",
    "quote": "'",
}


def test_any_variable_of_a_command_line_is_data(sqlite_project: Project) -> None:
    project = sqlite_project
    (project.path / "show.mk").write_text("include Makefile\n" + SHOW)
    show = ("-f", "show.mk", "--silent", "show")
    names = ("DB_POOL_SIZE", "JSON", "FILE", "ANYTHING", "CONFIRM")
    for value in VALUES.values():
        given = dict.fromkeys(names, value)
        expected = [value] * len(names)
        arguments = [f"{name}={value}" for name in given]
        assert json.loads(ok(project.make(*show, *arguments, NAMES=" ".join(names)))) == expected
        assert json.loads(ok(project.make(*show, **given, NAMES=" ".join(names)))) == expected
    run = "$(shell touch x)"
    ok(project.make("migrate"))
    assert json.loads(ok(project.make("migration-log", f"JSON={run}")))
    assert json.loads(ok(project.make("migration-log", JSON=run)))
    refusal(project.make("db-test", f"DB_POOL_SIZE={run}"))
    refusal(project.make("db-shell", f"ADMIN={run}"))
    for name in ("PY", "DBKIT", "UV", "AGAIN", "needs", "MAKEFILE_LIST"):
        refusal(project.make("migration-show", f"{name}={run}"))
    ok(project.make("help", *(f"{name}={run}" for name in ("PY", "UV", ".DEFAULT_GOAL"))))
    assert nothing_ran(project.path)


def test_the_templates_own_makefile_is_as_careful(template: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    (checkout / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    project = checkout / "build" / "my_service"
    project.mkdir(parents=True)
    makefile = (PROJECT / "Makefile").read_text("utf-8").partition("##@ Everyday")[0]
    (project / "Makefile").write_text(f"{makefile}{SHOW}\ndb-up migrate: show\n")
    (project / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    make = ["make", "--old-file=.venv/.installed"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*make, *arguments], cwd=checkout, env=environment(), capture_output=True, encoding="utf-8"
        )

    for value in VALUES.values():
        first = ok(run("bake", "NAMES=ANYTHING", f"ANYTHING={value}")).splitlines()[0]
        assert json.loads(first) == [value]
    refusal(run("prove", "PROOF=$(shell touch x)"))
    refusal(run("prove", "PROOF=`touch x`; touch x"))
    assert nothing_ran(tmp_path)


@pytest.mark.parametrize(
    "makefile", [CHECKOUT / "Makefile", PROJECT / "Makefile"], ids=["template", "project"]
)
def test_goals_run_in_their_order_whatever_number_of_jobs(makefile: Path, tmp_path: Path) -> None:
    goals = "include Makefile\nfirst:\n\tsleep 0.2; touch done\nsecond:\n\ttest -e done\n"
    shutil.copy(makefile, tmp_path)
    (tmp_path / "goals.mk").write_text(goals)
    command = ["make", "-j4", "-f", "goals.mk", "first", "second"]
    ok(subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8"))


@pytest.mark.slow
def test_format_wraps_the_line_that_lint_finds_too_long(sqlite_project: Project) -> None:
    project = sqlite_project
    call = "print(" + ", ".join(f"'argument number {number}'" for number in range(8)) + ")\n"
    file = project.write("app/long.py", '"""A line that is too long."""\n\nimport sys\nimport os\n\n' + call)
    refusal(project.make("lint"))
    ok(project.make("format"))
    assert max(map(len, file.read_text("utf-8").splitlines())) <= 100
    # What no formatter can mend is left to lint, and the rest is formatted all the same.
    file.write_text(f'"""A text."""\n\nx = "{"y" * 120}"\n\n\n\n\ny  =  1\n', "utf-8")
    ok(project.make("format"))
    assert "y = 1" in file.read_text("utf-8")
    assert "E501" in project.make("lint").stdout


UV = """#!/bin/sh
echo "$@" >> calls
mkdir -p .venv/bin
ln -sf {python} .venv/bin/python
"""


def test_the_python_that_is_named_is_installed_with_and_a_broken_environment_is_made_again(
    sqlite_project: Project,
) -> None:
    project = sqlite_project
    programs = project.path.parent / "programs"
    programs.mkdir()
    (programs / "uv").write_text(UV.replace("{python}", sys.executable))
    (programs / "uv").chmod(0o755)
    path = f"{programs}:{environment()['PATH']}"
    (project.path / ".venv").unlink()
    calls = project.path / "calls"

    def make(*arguments: str, **variables: str) -> list[str]:
        calls.write_text("")
        ok(project.run("make", *arguments, variables=variables | {"PATH": path}))
        return calls.read_text().splitlines()

    assert make("install") == ["sync --quiet"]
    assert make("install") == []
    assert make("PYTHON=/a path/python3", "install") == ["sync --quiet --python /a path/python3"]
    assert make("install", PYTHON="python3.12") == []  # of the environment: for a new one
    broken = project.path / ".venv" / "bin" / "python"
    broken.unlink()
    broken.symlink_to("/nowhere/python")
    assert make("install", PYTHON="python3.12") == ["sync --quiet --python python3.12"]
    assert broken.exists()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("has_uv", [True, False], ids=["uv", "pip"])
def test_a_broken_environment_and_another_python_are_real_ones(sqlite_project: Project, has_uv: bool) -> None:
    project = sqlite_project
    another = next((p for p in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(p).exists()), None)
    new = "import sys; sys.exit(sys.version_info < (3, 11))"
    if another is None or subprocess.run([another, "-c", new]).returncode:
        pytest.skip("no other Python here")
    programs = project.path.parent / "programs"
    programs.mkdir()
    if has_uv:
        (programs / "uv").write_text(f'#!/bin/sh\nexec {sys.executable} -m uv "$@"\n')
        (programs / "uv").chmod(0o755)
    variables = {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin"}
    (project.path / ".venv").unlink()
    python = project.path / ".venv" / "bin" / "python"
    prefix = [str(python), "-c", "import sys, fastapi; print(sys.base_prefix)"]
    ok(project.run("make", f"PYTHON={sys.executable}", "install", variables=variables))
    assert subprocess.check_output(prefix, text=True).strip() == sys.base_prefix
    python.unlink()
    python.symlink_to("/nowhere/python")
    ok(project.run("make", "migrate", variables=variables))
    ok(project.run("make", f"PYTHON={another}", "install", variables=variables))
    asked = [another, "-c", "import sys; print(sys.base_prefix)"]
    assert subprocess.check_output(prefix, text=True) == subprocess.check_output(asked, text=True)
