"""More tables than a server has locks for in one transaction."""

from pathlib import Path

from support.projects import Project, ok, refusal
from support.servers import running_server


def test_more_tables_than_a_transaction_has_locks_for(compiled_project: Path, tmp_path: Path) -> None:
    few = {"max_locks_per_transaction": "10", "max_connections": "20"}
    with running_server(lambda new: new.settings.update(few)) as server:
        project = Project.adopt(compiled_project, tmp_path / "project", server.create_database())
        head = "from sqlalchemy.orm import Mapped\n\nfrom app.models.base import BaseModel\n"
        models = [f"\n\nclass Thing{number}(BaseModel):\n    name: Mapped[str]\n" for number in range(16)]
        project.write("app/models/many.py", head + "".join(models))
        ok(project.make("migration", "MSG=add things"))
        ok(project.make("migrate"))
        assert "No changes" in ok(project.make("migration", "MSG=nothing"))
        assert "ok: " in ok(project.make("migration-check"))
        ok(project.make("migration-empty", "MSG=more"))
        create = 'for number in range(600):\n        op.execute(f"CREATE TABLE more{number} ()")'
        file = project.revisions("more")[0].relative_to(project.path)
        project.edit(str(file), "None:\n    pass", f"None:\n    {create}")
        line = refusal(project.make("migrate"))
        assert "max_locks_per_transaction. (a transaction keeps a lock on each table and index" in line
        assert "split the revision, or let an administrator raise that setting" in line
