"""More tables than a server has locks for in one transaction."""

from pathlib import Path

from support.projects import Project, ok
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
