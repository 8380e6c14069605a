"""`make migration-report`: revisions and runs as one page, which asks nobody for anything."""

import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dbkit.report import lanes
from support.browser import running_browser
from support.database_state import add_revision
from support.projects import INITIAL, NO_SERVER, Project, ok, refusal

HOSTILE = '<script>alert(1)</script> & "quoted" ${1 + 1} <%text>'
REVISION = '''\
"""{message}"""

from alembic import op

revision = "{name}"
down_revision = {parents!r}
branch_labels = None
depends_on = {depends!r}


def upgrade() -> None:
    {body}


def downgrade() -> None:
    pass
'''


class Page(HTMLParser):
    """A page as its readers have it: its text, and what it would load or run."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text("utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._parts: list[str] = []
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] != "style":
            self._parts.append(data)

    @property
    def text(self) -> str:
        """The text, with one space wherever there is any."""
        return " ".join(" ".join(self._parts).split())

    def section(self, name: str) -> str:
        """The text of one section."""
        headings = ("Revisions", "Drift", "Failures", "Runs")
        begin = self.text.index(f" {name} ")
        ends = [found.start() for other in headings for found in re.finditer(f" {other} ", self.text)]
        return self.text[begin : min((end for end in ends if end > begin), default=None)]


def write(
    project: Project, name: str, parents: object, message: str, body: str = "pass", depends: object = None
) -> None:
    """Write a revision."""
    text = REVISION.format(name=name, parents=parents, message=message, body=body, depends=depends)
    project.write(f"alembic/versions/{name}.py", text)


def report(project: Project, *variables: str) -> Page:
    """Make the page, which needs nothing else."""
    printed = ok(project.make("migration-report", *variables))
    assert "wrote build/migration-report.html: " in printed
    page = Page(project.path / "build" / "migration-report.html")
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "iframe", "img", "object", "base", "form", "a"})
    [policy] = [values["content"] for tag, values in page.tags if "http-equiv" in values and tag == "meta"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    links = [values["href"] for tag, values in page.tags if tag == "link"]
    assert links == ["data:,"]
    assert not re.search(r"https?:|@import|url\(", page.source.replace("http-equiv", ""))
    assert "s3cr3t" not in page.source + printed
    return page


@pytest.mark.first_on("postgresql")
def test_the_page_tells_what_ran_what_failed_and_what_is_left(project: Project) -> None:
    ok(project.make("migrate"))
    rows = "INSERT INTO users (id, email, name, created_at) VALUES ('{}', '{}', 'Ada', CURRENT_TIMESTAMP)"
    value = "ada@example.com"
    project.sql(rows.format("0" * 32, value))
    statement = f"INSERT INTO users (id, email, name) SELECT '{'1' * 32}', email, name FROM users"
    write(project, "aaaaaaaaaaaa", INITIAL, "copy users")
    write(project, "bbbbbbbbbbbb", "aaaaaaaaaaaa", HOSTILE.replace('"', "'"), f'op.execute("{statement}")')
    write(project, "cccccccccccc", "bbbbbbbbbbbb", "the last one")
    refusal(project.make("migrate"))
    project.sql("CREATE TABLE by_hand (n INTEGER)")
    project.sql("UPDATE alembic_history SET lock_wait = 75, retries = 3, duration = 0.25 WHERE id = 1")

    page = report(project)
    revisions = page.section("Revisions")
    hostile = HOSTILE.replace('"', "'")
    # On SQLite a run is one transaction: what came before the failure was rolled back.
    before = "pending" if project.dialect == "sqlite" else "applied database"
    assert "the last one pending head cccccccccccc" in revisions
    assert f"{hostile} pending bbbbbbbbbbbb" in revisions
    assert f"copy users {before} aaaaaaaaaaaa" in revisions
    assert re.search(rf"create users applied (database )?{INITIAL} ran \d{{4}}-\d\d-\d\d \d\d:", revisions)
    failures = page.section("Failures")
    assert f"{hostile} has not succeeded since upgrade bbbbbbbbbbbb" in failures
    assert "bbbbbbbbbbbb.py" in failures
    assert "uq_users_email" in failures or "UNIQUE constraint failed: users.email" in failures
    assert value not in page.source
    drift = page.section("Drift")
    assert "by_hand only in the database changed by hand since the run of" in drift
    runs = page.section("Runs")
    assert re.search(r"250 ms of work · 1 min 15 s waiting for locks · 3 retries · .* create users", runs)
    assert "upgrade, failed" in runs or "upgrade of 2 revisions, failed" in runs
    assert "drift: 1 object differs" in page.text
    assert "listed above" not in page.text

    project.sql("DROP TABLE by_hand")
    write(project, "bbbbbbbbbbbb", "aaaaaaaaaaaa", "mended")
    ok(project.make("migrate"))
    page = report(project)
    assert "pending" not in page.section("Revisions")
    assert re.search(r"mended succeeded \d{4}-", page.section("Failures"))
    assert "The database is what its revisions build." in page.section("Drift")
    assert "Speaks against a deployment" not in page.text


def test_without_a_database_the_page_shows_the_revisions(sqlite_project: Project) -> None:
    project = sqlite_project
    add_revision(project, "pass")
    url = NO_SERVER.replace("hidden", "s3cr3t")
    page = report(project, f"DATABASE_URL={url}")
    line = "The database cannot be read, so only the revisions of this code are shown: 127.0.0.1:1"
    assert line in page.text
    assert "create users 5f3a9c1e7b24" in page.text
    assert "applied" not in page.text.replace("applied.", "")
    assert "Runs" not in page.text
    printed = ok(project.make("migration-report", f"DATABASE_URL={url}"))
    assert "the database cannot be read, so it shows revisions alone (127.0.0.1:1: nothing listens" in printed


@pytest.mark.first_on("sqlite")
def test_a_new_project_and_an_empty_one_have_a_page(project: Project) -> None:
    page = report(project)
    assert "create users pending head" in page.text
    assert "Nothing ran here since the history began." in page.section("Runs")
    assert "No revision has failed." in page.section("Failures")
    assert project.tables() == set()
    for file in (project.path / "alembic" / "versions").glob("*.py"):
        file.unlink()
    (project.path / "app" / "models" / "user.py").unlink()
    assert "There is no revision yet." in report(project).section("Revisions")


def test_a_database_ahead_of_the_code_is_named(sqlite_project: Project) -> None:
    project = sqlite_project
    add_revision(project, "pass")
    ok(project.make("migrate"))
    [newest] = project.revisions()
    newest.unlink()
    page = report(project)
    assert "The database stands at step01, of which this code has no file" in page.text
    assert "create users applied head" in page.section("Revisions")
    assert "pending" not in page.section("Revisions")


def test_what_keeps_it_from_being_written_is_one_line(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("build", "a file")
    assert "build/migration-report.html cannot be written: " in refusal(project.make("migration-report"))
    write(project, "aaaaaaaaaaaa", INITIAL, "wrong", "pass\n    this is no Python")
    assert refusal(project.make("migration-report")).startswith(
        "FAILED: alembic/versions/aaaaaaaaaaaa.py:13: SyntaxError"
    )


def many(project: Project, number: int) -> None:
    """Revisions in a row, with a head more at every hundredth, and one that depends on another branch."""
    parent = INITIAL
    for count in range(number):
        name = f"{count:012x}"
        depends = f"{90:012x}" if count == 150 else None
        write(project, name, parent, f"revision number {count}.", depends=depends)
        parent = parent if count % 100 == 50 else name


@pytest.mark.parametrize("number", [200, pytest.param(1000, marks=pytest.mark.long)])
def test_many_revisions_with_several_heads_are_shown(sqlite_project: Project, number: int) -> None:
    project = sqlite_project
    many(project, number)
    page = report(project, f"DATABASE_URL={NO_SERVER}")
    assert all(f" revision number {count}. " in page.text for count in range(number))
    assert page.text.count(" head ") == number // 100 + 1
    assert f"{number - 29} older revisions" in page.text
    assert len(page.source) < 1_000_000


@pytest.mark.long
def test_a_thousand_revisions_that_ran_are_shown(sqlite_project: Project) -> None:
    project = sqlite_project
    many(project, 1000)
    ok(project.alembic("upgrade", "heads"))
    page = report(project)
    assert page.section("Revisions").count(" applied ") == 1001
    assert "upgrade of 1001 revisions" in page.section("Runs")


@pytest.mark.parametrize("seed", range(20))
def test_the_lines_of_the_graph_lead_from_each_revision_to_its_parents(seed: int) -> None:
    parents: dict[str, list[str]] = {}
    for number in range(40):  # each after one to three earlier ones, or after none
        begin = number * number * 7 + seed * 13
        picked = {(begin + step * 31) % (number + 2) for step in range(seed % 3 + 1)}
        parents[str(number)] = [str(one) for one in sorted(picked) if one < number]
    order = [(name, parents[name]) for name in reversed(parents)]
    rows = lanes.place(order)
    coming: dict[int, set[str]] = {}  # by lane: which revisions its line comes from
    for row in rows:
        assert set(row.passing) | set(row.above) == set(coming), "a line breaks off"
        assert row.lane not in row.passing
        children = {name for lane in row.above for name in coming.pop(lane)}
        assert children == {name for name, others in parents.items() if row.name in others}
        for lane in row.below:
            coming.setdefault(lane, set()).add(row.name)
        assert len(set(row.below)) == len(parents[row.name])
        assert max((row.lane, *row.passing, *row.below)) < lanes.width(rows)
    assert coming == {}


@pytest.mark.long
def test_a_browser_asks_nobody_and_shows_all_of_it_on_a_phone(
    sqlite_project: Project, tmp_path: Path
) -> None:
    project = sqlite_project
    many(project, 120)
    ok(project.alembic("upgrade", f"{40:012x}"))
    write(project, "aaaaaaaaaaaa", f"{119:012x}", f"{'long' * 60} {HOSTILE}".replace('"', "'"), "wrong")
    refusal(project.alembic("upgrade", "heads"))
    with sqlite3.connect(project.path / "dev.db") as connection:
        connection.execute(f"CREATE TABLE {'by_hand' * 30} (n INTEGER)")
    connection.close()
    report(project)
    address = (project.path / "build" / "migration-report.html").as_uri()
    colours = set()
    with running_browser(tmp_path / "profile") as browser:
        for scheme in ("light", "dark"):
            browser.open(address, width=390, scheme=scheme)
            browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            # The second is the first without the scroll bar.
            widths = (
                "innerWidth",
                "document.documentElement.clientWidth",
                "document.documentElement.scrollWidth",
            )
            outer, inner, needed = map(browser.evaluate, widths)
            assert (outer, needed) == (390, inner), "it is too wide for a phone"
            asked = [event["request"]["url"] for event in browser.named("Network.requestWillBeSent")]
            assert [url for url in asked if url not in (address, "data:,")] == []
            logged = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
            assert browser.named(*logged) == []
            assert browser.evaluate("document.querySelectorAll('.revision').length") == 122
            shown = "document.querySelector('.revision:last-child').getBoundingClientRect().height > 20"
            assert browser.evaluate(shown)
            colours.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
