"""What the READMEs tell people to type is typed word by word, and works."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.baking import Baker
from support.documents import DOCUMENTS, blocks, commands
from support.projects import Project, environment, ok, remove_data_elsewhere
from support.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.first_on("postgresql")]
# No engine answers where these tests run: what is in Dockerfile and compose.yaml is tested without one.
# test_prometheus.py runs promtool, where there is one.
NOT_RUN = re.compile(r"docker (build|run) |promtool ")


# The first two are those of a clone: test_fresh_machine.py types the one, and is run by the other.
BAKE, REPLAY, COMPARE = commands(DOCUMENTS["README.md"])[2:]


@pytest.fixture
def desk() -> Iterator[Path]:
    """A folder that the unprivileged user of root's PostgreSQL can enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="desk-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class Terminal:
    """Bash in a folder, in which what a document says is typed; what it starts ends with it."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder, self.port, self.template = folder, free_port(), template
        baker = Baker(template, folder)
        self.environment = environment(
            PATH=os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]]),
            PORT=str(self.port),  # of `make run`: this machine's 8000 may be somebody else's
            COOKIECUTTER_CONFIG=baker.environment["COOKIECUTTER_CONFIG"],
            GIT_CONFIG_GLOBAL=os.devnull,
        )
        self.started: list[subprocess.Popen[bytes]] = []

    def type(self, line: str, keys: str = "\n" * 9) -> str:
        """Type a line, and `keys` at what it asks; return what it printed."""
        line = line.replace("gh:org/service-template", str(self.template)).replace(":8000", f":{self.port}")
        if line.startswith("cd "):
            self.folder = self.folder / line.removeprefix("cd ")
            return ""
        if line.startswith("make run"):
            self.started.append(
                subprocess.Popen(
                    ["bash", "-c", line.removesuffix(" &")],
                    cwd=self.folder,
                    env=self.environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
            return ""
        # People need a moment to change windows; a server, to start.
        line = re.sub(r"^curl", "curl --silent --retry 60 --retry-delay 1 --retry-connrefused", line)
        result = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            input=keys,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        return ok(result)

    def close(self) -> None:
        """End what still runs."""
        for process in self.started:
            # make hands it on. The whole group would get it twice, and Uvicorn's reloader can hang
            # for ever on a second signal while it handles the first.
            process.terminate()
            process.wait(30)
        if (self.folder / "Makefile").exists():
            self.type("make db-down")
            remove_data_elsewhere(self.folder)


@pytest.fixture
def terminal(desk: Path, template: Path) -> Iterator[Terminal]:
    terminal = Terminal(desk, template)
    yield terminal
    terminal.close()


@pytest.mark.long
def test_a_new_project_does_what_the_readme_shows(terminal: Terminal) -> None:
    terminal.type(BAKE)
    [transcript] = blocks(DOCUMENTS["README.md"], "console")
    for part in re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        printed = terminal.type(line)
        for expected in filter(None, shown.splitlines()):
            if "answers on" in expected:  # which PostgreSQL it is, and which port is free, is the machine's
                expected, printed = (
                    re.sub(r"PostgreSQL \d.*?, answers on 127\.0\.0\.1:\d+", "PostgreSQL", text)
                    for text in (expected, printed)
                )
            # How long a revision took is the machine's, too.
            expected, printed = (re.sub(r"\d+\.\d\d s\)", "… s)", text) for text in (expected, printed))
            assert expected in printed.splitlines() or "Fetching" in expected, printed


@pytest.mark.long
def test_a_project_is_baked_and_compared_with_a_newer_template_as_the_readme_says(terminal: Terminal) -> None:
    assert "my_service is ready." in terminal.type(BAKE)
    terminal.type(BAKE, keys="Other\n" + "\n" * 8)  # which is then the last one
    project = terminal.folder / "my_service"
    (project / "Makefile").write_text("changed\n")
    (project / ".git").rename(terminal.folder / "git")
    assert "my_service is ready." in terminal.type(REPLAY)
    with pytest.raises(AssertionError) as found:  # to find a difference is a failure to diff
        terminal.type(COMPARE)
    assert re.findall("^diff .* (new/.*?) ", str(found.value), re.MULTILINE) == ["new/my_service/Makefile"]


@pytest.mark.long
def test_a_new_project_does_what_its_readme_says(terminal: Terminal) -> None:
    terminal.type(BAKE)
    terminal.type("cd my_service")
    terminal.type("make dev-install")
    readme = terminal.folder / "README.md"
    for line in commands(readme):
        if NOT_RUN.match(line):
            continue
        printed = terminal.type(line, keys="p@ss word/%\n")
        if line.startswith("curl"):
            assert '"up_to_date":true' in printed
        if "pytest" in line or line == "make test":
            assert re.search(r"\d+ passed", printed)
        if line.startswith("python3"):
            assert "p%40ss%20word%2F%25" in printed


def test_the_models_of_the_readme_become_tables(project: Project) -> None:
    product, association = blocks(DOCUMENTS["the project's README.md"], "python")[1:3]
    project.write("app/models/product.py", product)
    tag = re.sub(r"class Product\(BaseModel\):.*", "class Tag(BaseModel):", product)
    project.write("app/models/tag.py", tag)
    project.write("app/models/product_tag.py", association)
    ok(project.make("migration", "MSG=add products"))
    ok(project.make("migrate"))
    assert {"products", "tags", "product_tags"} < project.tables()
    ok(project.make("migration-check"))
