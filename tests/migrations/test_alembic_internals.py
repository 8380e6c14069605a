"""The private names of Alembic that the kit uses, and the versions of Alembic that have them."""

from importlib.metadata import version

from alembic.autogenerate import render
from alembic.script import ScriptDirectory

from support.baking import CHECKOUT

# With a new version: run the suite on it, read what has become of the names, and write it down here.
TRIED_WITH = {"1.20"}


def test_alembic_is_of_a_version_that_its_private_names_were_tried_with() -> None:
    assert version("alembic").rpartition(".")[0] in TRIED_WITH
    assert callable(ScriptDirectory._rev_path)
    assert callable(ScriptDirectory._generate_template)
    assert callable(render._repr_type)


def test_the_private_names_stand_in_one_module() -> None:
    kit = CHECKOUT / "{{cookiecutter.project_slug}}" / "dbkit"
    users = {path.name for path in kit.rglob("*.py") if "_rev_path" in path.read_text("utf-8")}
    users |= {path.name for path in kit.rglob("*.py") if "_repr_type" in path.read_text("utf-8")}
    assert users == {"alembic_internals.py"}
