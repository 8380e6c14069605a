"""`make migration` on the project's own server, whose templates hold what many and few revisions build."""

import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measuring import Comparison, Side, users_environment
from benchmarks.revisions import write_changes
from support.projects import NO_SERVER, Project, ok
from support.servers import running_server

MANY, FEW = 1000, 10
MARK = "from dbkit.connection.mark import project_mark; print(project_mark())"


def many_and_few_revisions(baked: Path, folder: Path, stack: ExitStack) -> Comparison:
    """Compare two projects with the same models, a column of which is new."""
    return Comparison(
        f"`make migration` with one new column after {MANY:,} revisions, beside {FEW}, PostgreSQL",
        _side(baked, folder / "many", MANY, stack),
        _side(baked, folder / "few", FEW, stack),
        goal=1.2,
        repeats=1,
    )


def _side(baked: Path, folder: Path, count: int, stack: ExitStack) -> Side:
    project = Project.adopt(baked, folder, NO_SERVER)
    project.write(".database/mark", "a secret")
    mark = ok(project.python("-c", MARK)).strip()
    server = stack.enter_context(running_server(lambda new: new.settings.update(cluster_name=mark)))
    project.write(".env", f"DATABASE_URL={server.create_database()}\n")
    write_changes(project.path / "alembic" / "versions", count)
    project.edit("app/models/user.py", "    email: Mapped", "    nick: Mapped[str | None]\n    email: Mapped")

    def remove_revision() -> None:
        for path in project.revisions("add_nick"):
            path.unlink()

    command = [sys.executable, "-m", "dbkit", "migration", "add nick"]
    return Side(command, project.path, users_environment(), remove_revision, lambda said: "add_nick" in said)
