"""Enum types of the models in revisions: each change is written, proved, and goes down and up again."""

import pytest

from support.projects import INITIAL, Project, ok, refusal

pytestmark = pytest.mark.slow

MODELS = """
import enum

from sqlalchemy import ARRAY, CheckConstraint, Enum, Index, MetaData, String, TypeDecorator, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel

{code}
"""
TABLE = '''
class {name}(BaseModel):
    """A model of a test."""

{columns}
'''


def write(project: Project, columns: str, code: str = "", table: str = "Ticket") -> None:
    """Give the service one more model, with these columns."""
    lines = "".join(f"    {line}\n" for line in columns.splitlines())
    model = TABLE.format(name=table, columns=lines) if columns else ""
    project.write(f"app/models/{table.lower()}.py", MODELS.format(code=code + model))


def migration(project: Project, message: str) -> str:
    """Write a revision, which must be proved, and return its text."""
    ok(project.make("migration", f"MSG={message}"))
    [path] = project.revisions(f"_{message.replace(' ', '_')}.py")
    return path.read_text("utf-8")


def there_and_back(project: Project) -> None:
    """All revisions go up, down and up again, and make what the models say."""
    for command in ("upgrade head", f"downgrade {INITIAL}", "upgrade head"):
        ok(project.alembic(*command.split()))
    ok(project.make("migration-check"))


def test_values_of_a_type_come_and_go(postgresql_project: Project) -> None:
    project = postgresql_project

    def state(*values: str, default: str = "open", more: str = "") -> None:
        listed = ", ".join(map(repr, values))
        write(
            project,
            f"state: Mapped[str] = mapped_column(Enum({listed}, name='State'), server_default={default!r})\n"
            f"states: Mapped[list[str]] = mapped_column(ARRAY(Enum({listed}, name='State')))\n{more}",
        )

    state("open", 'it\'s, "done"')
    text = migration(project, "add tickets")
    assert text.count("op.create_enum(") == text.count("op.drop_enum(") == 1
    state("first", "open", "middle", 'it\'s, "done"', "100%:x")
    text = migration(project, "add values")
    assert 'op.extend_enum("State", "first", before="open")' in text
    assert 'op.extend_enum("State", "middle", after="open")' in text
    assert 'op.extend_enum("State", "100%:x")' in text
    index = "__table_args__ = (Index('ix_open', 'id', postgresql_where=text(\"state = 'open'\")),)"
    state("open", "first", "100%:x", more=index)
    assert "op.replace_enum_values(" in migration(project, "remove values")
    index = "__table_args__ = (Index('ix_open', 'id', postgresql_where=text(\"state = 'new'\")),)"
    state("first", "new", default="new", more=index)
    text = migration(project, "use new values")
    assert text.count("op.replace_enum_values(") == 4  # two of them in a comment
    assert '# Renamed? The enum type State has "new" instead of' in text
    write(project, "state: Mapped[str]\nstates: Mapped[list[str]] = mapped_column(ARRAY(String))")
    assert 'op.drop_enum("State")' in migration(project, "text again")
    there_and_back(project)


KINDS = """
class Mood(enum.Enum):
    happy = "is happy"
    sad = "is sad"


class Moody(TypeDecorator):
    impl = Enum(Mood, name='My "Mood"', values_callable=lambda kind: [one.value for one in kind])
    cache_ok = True


SHARED = Enum("a", "b", name="shared")
CHECKED = {"native_enum": False, "create_constraint": True}
"""
BEFORE = """
decorated: Mapped[Mood] = mapped_column(Moody, server_default="is sad")
decorated_array: Mapped[list[Mood]] = mapped_column(ARRAY(Moody))
shop: Mapped[str] = mapped_column(Enum("x", "y", name="kind", schema="shop"))
here: Mapped[str] = mapped_column(Enum("other", name="kind"))
again: Mapped[str] = mapped_column(SHARED)
only_here: Mapped[str] = mapped_column(Enum("gone", name="only_here"))
in_function: Mapped[str] = mapped_column(Enum("stays", name="in_function"))
left_alone: Mapped[str] = mapped_column(Enum("k", name="kept_kind"))
variant: Mapped[str] = mapped_column(String(9).with_variant(Enum("v", name="variant"), "postgresql"))
text_for_ever: Mapped[str] = mapped_column(Enum("short", native_enum=False, name="plain"))
checked: Mapped[str] = mapped_column(Enum("c", **CHECKED, name="checked"))
to_uuid: Mapped[str] = mapped_column(String(40))
to_int: Mapped[str] = mapped_column(String(40), server_default="1")
to_json: Mapped[str | None] = mapped_column(String(40), server_default=text("'{}'"))
to_enum: Mapped[str] = mapped_column(String(40), server_default="a")
to_text: Mapped[str] = mapped_column(SHARED, server_default="a")
to_longer: Mapped[str] = mapped_column(String(40), server_default="a")
to_other: Mapped[str] = mapped_column(Enum("a", "c", name="other"), server_default="a")
to_array: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
"""
AFTER = """
decorated: Mapped[Mood] = mapped_column(Moody, server_default="is happy")
decorated_array: Mapped[list[Mood]] = mapped_column(ARRAY(Moody))
shop: Mapped[str] = mapped_column(Enum("y", "x", name="kind", schema="shop"))
here: Mapped[str] = mapped_column(Enum("first", "other", name="kind"))
again: Mapped[str] = mapped_column(SHARED)
added: Mapped[str] = mapped_column(Enum("new", name="brand_new"))
with_check: Mapped[str] = mapped_column(Enum("e", **CHECKED, name="with_check"))
variant: Mapped[str] = mapped_column(String(9).with_variant(Enum("v", "w", name="variant"), "postgresql"))
text_for_ever: Mapped[str] = mapped_column(Enum("short", "much longer", native_enum=False, name="plain"))
checked: Mapped[str] = mapped_column(Enum("c", "d", **CHECKED, name="checked"))
to_uuid: Mapped[uuid.UUID]
to_int: Mapped[int] = mapped_column(server_default=text("1"))
to_json: Mapped[dict[str, str] | None] = mapped_column(JSONB, server_default=text("'{}'"))
to_enum: Mapped[str] = mapped_column(SHARED, server_default="a")
to_text: Mapped[str] = mapped_column(String(40), server_default="a")
to_longer: Mapped[str] = mapped_column(String(50), server_default="b")
to_other: Mapped[str] = mapped_column(SHARED, server_default="b")
to_array: Mapped[list[str]] = mapped_column(ARRAY(SHARED), server_default="{a}")
"""


@pytest.mark.long
def test_types_of_every_kind_change(postgresql_project: Project) -> None:
    project = postgresql_project
    imports = "import uuid\nfrom sqlalchemy.dialects.postgresql import JSONB\n"
    write(project, BEFORE, imports + KINDS, table="Thing")
    text = migration(project, "add things")
    assert "app.models" not in text
    for name in ('My "Mood"', "kind", "shared", "only_here", "variant"):
        assert f"op.create_enum({name!r}" in text.replace("\\", "") or f'op.create_enum("{name}"' in text
    write_function = (
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$DECLARE x in_function; BEGIN END$$"
    )
    ok(project.make("migration-empty", "MSG=a function"))
    [path] = project.revisions("a_function")
    source = path.read_text("utf-8")
    source = source.replace("    pass", f'    op.execute("{write_function}")', 1)
    path.write_text(source.replace("    pass", '    op.execute("DROP FUNCTION f")'), "utf-8")

    project.edit("alembic.ini", "leave_alone =", "leave_alone = kept_*")
    code = KINDS.replace('happy = "is happy"', 'happy = "is happy"\n    new = "it\'s new"')
    write(project, AFTER, imports + code, table="Thing")
    text = migration(project, "change things")
    assert 'op.drop_enum("only_here")' in text
    assert "kept_kind" not in text.partition("def downgrade")[0]
    assert 'op.drop_enum("in_function")' not in text.partition("def downgrade")[0]
    assert 'postgresql_using="to_uuid::uuid"' in text
    (project.path / "app/models/thing.py").unlink()
    text = migration(project, "drop things")
    assert 'op.drop_enum("shared")' in text
    there_and_back(project)


@pytest.mark.long
def test_a_renamed_value_is_pointed_out_and_the_code_for_it_works(postgresql_project: Project) -> None:
    project = postgresql_project
    state = "state: Mapped[str] = mapped_column(Enum({}, name='state'), server_default='old')"
    write(project, state.format("'a', 'old', 'z'"))
    migration(project, "add tickets")
    ok(project.make("migrate"))
    project.sql("INSERT INTO tickets (id, state) VALUES (gen_random_uuid(), 'old')")
    write(project, state.replace("='old'", "='new'").format("'a', 'new', 'z'"))
    printed = ok(project.make("migration", "MSG=rename"))
    call = 'op.replace_enum_values("state", ["a", "new", "z"], renamed={"old": "new"})'
    assert call in printed
    said = refusal(project.make("migrate"))
    assert "rows of tickets have a value in state that enum type public.state is to lose ('old')" in said
    assert project.sql("SELECT state FROM tickets") == [("old",)]
    [path] = project.revisions("_rename")
    text = path.read_text("utf-8")
    up, down = text.partition("def downgrade")[::2]
    wrong = 'op.replace_enum_values("state", ["a", "{}", "z"])'
    assert wrong.format("new") in up
    up = up.replace(wrong.format("new"), call)
    down = down.replace(
        wrong.format("old"),
        'op.replace_enum_values("state", ["a", "old", "z"], renamed={"new": "old"})',
    )
    path.write_text(f"{up}def downgrade{down}", "utf-8")
    ok(project.make("migrate"))
    assert project.sql("SELECT state FROM tickets") == [("new",)]
    ok(project.make("migration-down"))
    assert project.sql("SELECT state FROM tickets") == [("old",)]
    there_and_back(project)


def test_on_sqlite_an_enum_is_text_of_a_length_and_a_check(sqlite_project: Project) -> None:
    project = sqlite_project
    columns = (
        "plain: Mapped[str] = mapped_column(Enum({0}, name='plain'), server_default='a')\n"
        "checked: Mapped[str] = mapped_column(Enum({0}, name='checked', create_constraint=True))"
    )
    write(project, columns.format("'a', 'b'"))
    assert "op.create_enum" not in migration(project, "add tickets")
    added = "\nadded: Mapped[str | None] = mapped_column(Enum('x', name='added', create_constraint=True))"
    write(project, columns.format("'a', 'longer', 'b'") + added)
    migration(project, "add a value")
    write(project, columns.format("'b', 'c'").replace("='a'", "='b'"))
    migration(project, "remove a value")
    write(project, "plain: Mapped[str | None]")
    migration(project, "drop the check")
    there_and_back(project)


SYNCED = """
    op.sync_enum_values(
        enum_schema="public", enum_name="state", new_values=[{new}], enum_values_to_rename=[],
        affected_columns=[TableReference("tickets", "state", "public")],
    )
"""


@pytest.mark.long
def test_older_revisions_of_the_library_run_and_what_is_new_is_written_once(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    state = "state: Mapped[str] = mapped_column(Enum({}, name='state'))"
    write(project, state.format("'a'"))
    migration(project, "add tickets")
    ok(project.make("migration-empty", "MSG=synced"))
    [path] = project.revisions("_synced")
    text = path.read_text("utf-8")
    text = text.replace(
        "from alembic import op", "from alembic import op\nfrom alembic_postgresql_enum import TableReference"
    )
    text = text.replace("    pass", SYNCED.format(new="'a', 'b'"), 1).replace(
        "    pass", SYNCED.format(new="'a'")
    )
    path.write_text(text, "utf-8")
    write(
        project,
        state.format("'a', 'b', 'c'") + "\nother: Mapped[str] = mapped_column(Enum('x', name='other'))",
    )
    text = migration(project, "more values")
    assert text.count("op.extend_enum(") == text.count("op.create_enum(") == 1
    assert "sync_enum_values" not in text
    there_and_back(project)


@pytest.mark.long
def test_a_new_value_that_a_default_has_at_once(postgresql_project: Project) -> None:
    project = postgresql_project
    state = "state: Mapped[str] = mapped_column(Enum({}, name='state'), server_default='{}')"
    write(project, state.format("'a'", "a"))
    migration(project, "add tickets")
    write(project, state.format("'a', 'b'", "b"))
    assert 'op.replace_enum_values("state", ["a", "b"])' in migration(project, "add and use")
    project.script(ok(project.make("migration-sql")))
    ok(project.make("migration-check"))
    index = "__table_args__ = (Index('ix_c', 'id', postgresql_where=text(\"state = 'c'\")),)\n"
    write(project, index + state.format("'a', 'b', 'c'", "b"))
    text = migration(project, "add for an index")  # which is created in the next revision
    assert 'op.extend_enum("state", "c")' in text
    there_and_back(project)
