"""`python -m dbkit version`: which version of the kit a project has, and whether somebody edited it."""

import shutil

from local_extensions import VERSION
from support.commands import kit
from support.projects import Project, ok, refusal


def test_a_fresh_project_has_the_templates_version_unedited(sqlite_project: Project) -> None:
    assert ok(sqlite_project.python(*kit("version"))) == f"dbkit {VERSION}\n"


def test_files_that_are_changed_new_or_missing_are_named(sqlite_project: Project) -> None:
    project = sqlite_project
    project.edit("dbkit/errors.py", "Errors of one line", "Ours")
    project.write("dbkit/operations/own.py", "")
    (project.path / "dbkit" / "history" / "report.py").unlink()
    line = refusal(project.python(*kit("version")))
    assert line == "edited since the project was made: errors.py, history/report.py, operations/own.py"


def test_an_image_has_no_development_server_and_is_not_edited_for_that(sqlite_project: Project) -> None:
    shutil.rmtree(sqlite_project.path / "dbkit" / "devserver")
    ok(sqlite_project.python(*kit("version")))


def test_without_the_checksums_nobody_can_tell(sqlite_project: Project) -> None:
    (sqlite_project.path / "dbkit" / "CHECKSUMS").unlink()
    assert "dbkit/CHECKSUMS is missing" in refusal(sqlite_project.python(*kit("version")))
