"""`make db-diagram`: the models as a document that can be committed, and as a picture."""

import os
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.projects import NO_SERVER, Project, ok, refusal

MODELS = '''\
"""Models of a test, whose names and comments mean something in Markdown, HTML, Mermaid or SVG."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint, Column, Computed, Double, Enum, ForeignKey, ForeignKeyConstraint, Index, Integer,
    Numeric, String, Table, text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BaseModel


class Invoice(BaseModel):
    __table_args__ = (
        CheckConstraint("total >= 0", name="total"),
        Index("ix_lower", text("lower(number)"), unique=True),
        Index("ix_open", "status", postgresql_where=text("status = 'open'")),
        {"comment": "Owed: <script>alert(1)</script> | `x` *b*\\n# no"},
    )
    number: Mapped[str] = mapped_column(String(20), comment='a "quoted" | piped\\n`comment`')
    total: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    rate: Mapped[float] = mapped_column(Double)
    status: Mapped[str] = mapped_column(Enum("open", "a|b", name="status"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    payer_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    due: Mapped[datetime | None]
    data: Mapped[dict] = mapped_column(JSONB)


odd = Table(
    "one to\\nmany", Base.metadata,
    Column("PK", Integer, primary_key=True), Column("1st col", Integer), Column('end "x"', String),
    Column("a`b%", String), Column("größe", Integer, Computed("1 + 1")),
)
pairs = Table(
    "pairs", Base.metadata, Column("a", Integer, primary_key=True), Column("b", Integer, primary_key=True)
)
lines = Table(
    "lines", Base.metadata, Column("id", Integer, primary_key=True),
    Column("a", Integer), Column("b", Integer),
    ForeignKeyConstraint(["a", "b"], ["pairs.a", "pairs.b"]),
)
detail = Table("detail", Base.metadata, Column("invoice_id", ForeignKey("invoices.id"), primary_key=True))
'''
# What Mermaid's grammar takes: https://mermaid.js.org/syntax/entityRelationshipDiagram.html
WORD = r"[A-Za-z_\u00c0-\uffff][A-Za-z0-9_()\[\]\u00c0-\uffff-]*"
TEXT = r'"[^"%\\`\n]+"'
LINES = re.compile(
    rf"erDiagram|    {TEXT} \{{|    \}}"
    rf"|        (?!(PK|FK|UK) ){WORD} (?!(PK|FK|UK)\b){WORD}( (PK|FK|UK)(, (PK|FK|UK))*)?( {TEXT})?"
    rf"|    {TEXT} (\|\||\|o)--(o\||o\{{) {TEXT} : {TEXT}"
)


def document(project: Project) -> str:
    return (project.path / "docs" / "schema.md").read_text("utf-8")


def rows(text: str) -> dict[str, list[str]]:
    """The cells of the tables' rows, by the first one."""
    found = [re.split(r" (?<!\\)\| ", line[2:-2]) for line in text.splitlines() if line.startswith("| `")]
    return {first: others for first, *others in found}


def test_the_document_says_what_the_models_say(project: Project) -> None:
    project.write("app/models/made.py", MODELS)
    assert "wrote docs/schema.md" in ok(project.make("db-diagram"))
    text = document(project)
    cells = rows(text)
    is_postgresql = project.dialect == "postgresql"
    time = "`TIMESTAMP WITH TIME ZONE`" if is_postgresql else "`DATETIME`"
    assert cells["`due`"] == [time, "yes", "", "", ""]
    assert cells["`created_at`"] == [time, "", "`CURRENT_TIMESTAMP`", "", ""]
    assert cells["`email`"] == ["`VARCHAR(320)`", "", "", "unique", ""]
    assert cells["`number`"][4] == r'a "quoted" \| piped \`comment\`'
    assert cells["`status`"][4] == r"one of `open`, `a\|b`"
    assert cells["`user_id`"][3] == "to users"
    assert cells["`data`"][0] == "`JSONB`"  # as the model has it, where the database has no such type
    assert cells["`größe`"][2] == "`computed: 1 + 1`"
    assert r"Owed: &lt;script\>alert\(1\)&lt;/script\> \| \`x\` \*b\* \# no" in text
    assert "<script" not in text
    assert "\n## one to many\n" in text
    for sql in (
        "CONSTRAINT ck_invoices_total CHECK (total >= 0)",
        "CONSTRAINT fk_invoices_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE",
        "CREATE UNIQUE INDEX ix_lower ON invoices (lower(number))",
        "CREATE INDEX ix_open ON invoices (status)" + " WHERE status = 'open'" * is_postgresql,
    ):
        assert f"- `{sql}`\n" in text

    [diagram] = re.findall(r"```mermaid\n(.*?)\n```", text, re.DOTALL)
    assert [line for line in diagram.splitlines() if not LINES.fullmatch(line)] == []
    for line in (
        '"users" ||--o{ "invoices" : "user_id"',
        '"users" |o--o{ "invoices" : "payer_id"',
        '"invoices" ||--o| "detail" : "invoice_id"',
        '"pairs" |o--o{ "lines" : "a, b"',
        "NUMERIC(10_2) total",
        'INTEGER _1st_col "1st col, nullable"',
    ):
        assert f"    {line}\n" in f"{diagram}\n"


def test_the_same_models_give_the_same_file_which_is_left_alone(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("app/models/made.py", MODELS)
    ok(project.make("db-diagram"))
    path = project.path / "docs" / "schema.md"
    before, written = path.read_bytes(), path.stat().st_mtime_ns
    assert "docs/schema.md is up to date" in ok(project.make("db-diagram"))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, written)

    # Whoever has the file open reads it to its end: a new one takes its place.
    reader = project.path / "reader.md"
    os.link(path, reader)
    project.edit("app/models/made.py", "String(20)", "String(21)")
    assert "wrote docs/schema.md" in ok(project.make("db-diagram"))
    assert "VARCHAR(21)" in document(project)
    assert reader.read_bytes() == before, "the file was written over"
    assert oct(path.stat().st_mode & 0o777) == oct(0o666 & ~umask())
    assert {each.name for each in path.parent.iterdir()} <= {"schema.md", "schema.svg"}


@pytest.mark.long
def test_the_order_of_sets_decides_nothing(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("app/models/made.py", MODELS)
    ok(project.make("db-diagram"))
    for seed in ("1", "2", "3"):
        # Not in the fork server, where the seed is that of these tests.
        command = ["env", f"PYTHONHASHSEED={seed}", project.interpreter, "-m", "dbkit", "db-diagram"]
        assert "docs/schema.md is up to date" in ok(project.run(*command))


def umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_no_database_is_asked(sqlite_project: Project) -> None:
    project = sqlite_project
    printed = ok(project.make("db-diagram", f"DATABASE_URL={NO_SERVER.replace('hidden', 's3cr3t')}"))
    assert "with the types of PostgreSQL" in document(project)
    assert "s3cr3t" not in printed + document(project)


def test_a_picture_is_drawn_where_graphviz_is(sqlite_project: Project) -> None:
    project = sqlite_project
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    project.write("app/models/made.py", MODELS)
    assert "wrote docs/schema.svg" in ok(project.make("db-diagram"))
    assert "docs/schema.svg is up to date" in ok(project.make("db-diagram"))
    picture = ET.fromstring((project.path / "docs" / "schema.svg").read_bytes())  # noqa: S314 - our own
    texts = {text.strip() for text in picture.itertext()}
    assert {"users", "invoices", "one to many", 'end "x"', "a`b%", "größe", "VARCHAR null"} <= texts
    edges = [one for one in picture.findall(".//{*}g") if one.get("class") == "edge"]
    assert len(edges) == 4
    ignored = project.run("git", "check-ignore", "docs/schema.svg", "docs/schema.md")
    if ignored.returncode != 128:  # no repository
        assert ignored.stdout.split() == ["docs/schema.svg"]


def test_without_graphviz_a_line_says_so(sqlite_project: Project, tmp_path: Path) -> None:
    project = sqlite_project
    printed = ok(project.python("-m", "dbkit", "db-diagram", PATH=str(tmp_path)))
    assert "docs/schema.svg was not drawn: install Graphviz" in printed
    assert "erDiagram" in document(project)


def test_what_keeps_it_from_being_written_is_one_line(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("docs", "a file")
    assert "docs/schema.md cannot be written: " in refusal(project.make("db-diagram"))
    assert (project.path / "docs").read_text("utf-8") == "a file"
    project.write(
        "app/models/made.py", MODELS.replace('"pairs.a"', '"gone.a"').replace('"pairs.b"', '"gone.b"')
    )
    assert "could not find table 'gone'" in refusal(project.make("db-diagram"))
    project.write("app/models/made.py", "import nonsense")
    assert refusal(project.make("db-diagram")).startswith("FAILED: app/models/made.py:1: ModuleNotFoundError")


def test_a_service_without_models_has_an_empty_document(sqlite_project: Project) -> None:
    (sqlite_project.path / "app/models/user.py").unlink()
    ok(sqlite_project.make("db-diagram"))
    assert "There is no table." in document(sqlite_project)
    assert "mermaid" not in document(sqlite_project)
