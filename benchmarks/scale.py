"""`make migration` and `make migration-check` on many tables, beside bare Alembic on the same models."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.measuring import Comparison, Side, run, users_environment
from benchmarks.migrations import Pair
from benchmarks.templates import MARK
from support.projects import ok
from support.servers import PostgresServer, running_server

AGREED = ".database/agreed"  # remembers which models and revisions were compared
NEW_COLUMN = ("app/models/many.py", "    note: Mapped[str | None]\n", "    nick: Mapped[str | None]\n")


def many_tables(baked: Path, folder: Path, count: int, stack: ExitStack) -> Iterator[Comparison]:
    """Compare with nothing changed, with and without templates, with one new column, and the gates."""
    server = stack.enter_context(running_server())
    pair = Pair.postgresql(baked, folder, server)
    pair.project.write(".database/mark", "a secret")
    mark = ok(pair.project.python("-c", MARK)).strip()
    server.settings["cluster_name"] = mark
    server.restart()
    _bring_to_head(pair, count)
    title = f"{count:,} tables, PostgreSQL"
    ours = _side(pair, "dbkit", "migration", "more", said="No changes")
    bare = _side(pair, "alembic", "revision", "--autogenerate", "-m", "more", said="Generating")
    yield Comparison(f"`make migration`, no change, {title}", ours, bare, goal=0.7, repeats=1)

    def forget() -> None:
        ours.prepare()
        (pair.project.path / AGREED).unlink(missing_ok=True)
        _drop_templates(server)

    cold = replace(ours, prepare=forget)
    yield Comparison(f"the same without templates, {title}", cold, bare, goal=1.8, repeats=1)
    check = _side(pair, "dbkit", "migration-check", said="ok: ")
    bare_check = _side(pair, "alembic", "check", said="No new upgrade")
    title_of_check = f"`make migration-check` beside `alembic check`, {title}"
    yield Comparison(title_of_check, check, bare_check, goal=0.9, repeats=1)
    for root in (pair.project.path, pair.bare):
        name, old, new = NEW_COLUMN
        text = (root / name).read_text("utf-8")
        (root / name).write_text(text.replace(old, old + new, 1), "utf-8")
    ours, bare = (replace(side, proof=lambda said: "_more" in said) for side in (ours, bare))
    yield Comparison(f"`make migration`, one new column, {title}", ours, bare, goal=1.5, repeats=1)


def _bring_to_head(pair: Pair, count: int) -> None:
    """Let both databases stand at a revision that creates `count` tables, written by bare Alembic."""
    pair.initialise()
    pair.add_models(count)
    run(_side(pair, "alembic", "upgrade", "head", said="INFO"))
    run(_side(pair, "alembic", "revision", "--autogenerate", "-m", "things", said="Generating"))
    [file] = (pair.bare / "alembic" / "versions").glob("*_things.py")
    text = file.read_text("utf-8")  # it lacks the import of the service's own type
    file.write_text(text.replace("app.models.base.UTCDateTime", "sa.DateTime"), "utf-8")
    shutil.copy(file, pair.project.path / "alembic" / "versions")
    run(_side(pair, "alembic", "upgrade", "head", said="INFO"))
    run(_side(pair, "dbkit", "migrate", said="INFO"))


def _side(pair: Pair, *command: str, said: str) -> Side:
    """A command; files that it has written before are removed."""
    folder = pair.project.path if command[0] == "dbkit" else pair.bare

    def remove() -> None:
        for path in (folder / "alembic" / "versions").glob("*_more.py"):
            path.unlink()

    return Side(
        [sys.executable, "-m", *command], folder, users_environment(), remove, lambda text: said in text
    )


def _drop_templates(server: PostgresServer) -> None:
    names = server.sql("SELECT datname FROM pg_database WHERE datname LIKE '%\\_template\\_%'")
    for name in names.split():
        server.sql(f'DROP DATABASE "{name}"')
