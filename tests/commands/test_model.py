"""`make model` writes a resource that passes the project's own checks, unchanged."""

import pytest

from support.projects import Project, ok, refusal

FIELDS = (
    "number:str:unique total:Decimal paid_at:datetime? note:text? count:int:index rate:float active:bool "
    "day:date? ref:UUID?"
)


@pytest.mark.first_on("postgresql")
def test_a_resource_of_all_types_passes_the_checks_unchanged(project: Project) -> None:
    said = ok(project.make("model", "NAME=Invoice", f"FIELDS={FIELDS}"))
    files = [
        "app/models/invoice.py",
        "app/schemas/invoice.py",
        "app/api/invoices.py",
        "tests/test_invoices.py",
    ]
    assert [line for line in said.splitlines() if line.startswith("wrote ")] == [f"wrote {f}" for f in files]
    ok(project.make("model", "NAME=OrderItem"))
    before = [(project.path / file).read_bytes() for file in files]
    ok(project.make("migration", "MSG=add invoices"))
    ok(project.make("migrate"))
    ok(project.make("migration-check"))
    ok(project.make("lint"))
    if project.url.startswith("sqlite"):
        ok(project.make("typecheck"))
    assert "/order-items" in (project.path / "app/api/order_items.py").read_text("utf-8")
    ok(project.python("-m", "pytest", "-q", "tests/test_invoices.py", "tests/test_order_items.py"))
    assert [(project.path / file).read_bytes() for file in files] == before


def test_what_cannot_be_written_is_one_line_and_writes_nothing(sqlite_project: Project) -> None:
    project = sqlite_project
    before = {path for path in project.path.rglob("*.py") if "__pycache__" not in path.parts}
    for name, fields, words in (
        ("class", "a:str", "a model is named like InvoiceItem"),
        ("$(touch x)", "a:str", "a model is named like InvoiceItem"),
        ("Class", "a:str", "Python has class or Class itself"),
        ("Exception", "a:str", "Python has exception or Exception itself"),
        ("Foo", "from_orm:str", "every model or schema has from_orm already"),
        ("Foo", "self:str", "every model or schema has self already"),
        ("Page", "a:str", "the modules of a resource use that name already"),
        ("User", "a:str", "app/models/user.py is there already"),
        ("Foo", "class:str", "'class' cannot be a field"),
        ("Foo", "a-b:str", "'a-b' cannot be a field"),
        ("Foo", "a:blob", "a has no known type"),
        ("Foo", "a", "a has no known type"),
        ("Foo", "a:str a:int", "a stands there twice"),
        ("Foo", "id:int", "every model or schema has id already"),
        ("Foo", "a:str:primary", "'primary' is neither unique nor index"),
        ("Foo", "a:bool:unique", "two rows at most"),
        ("Foo", "a:text:index", "a text may be longer than an index can hold"),
        ("Foo", "a:text?:unique", "a text? may be longer than an index can hold"),
    ):
        line = refusal(project.make("model", f"NAME={name}", f"FIELDS={fields}"))
        assert words in line, (name, fields)
    project.write("app/models/other.py", OTHER)
    assert "a table categories is there already" in refusal(project.make("model", "NAME=Category"))
    (project.path / "app/models/other.py").unlink()
    project.edit("scaffold/resource.toml", "default =", "default")
    assert "scaffold/resource.toml: TOMLDecodeError" in refusal(project.make("model", "NAME=Foo"))
    project.edit("scaffold/resource.toml", "default", "default =")
    project.edit("scaffold/model.txt", "class $Name", "clas $Name")
    assert "make no Python of it, see above" in refusal(project.make("model", "NAME=Foo"))
    project.edit("scaffold/resource.toml", '"app/api/$plural.py"', '"app/none/$plural.py"')
    assert "app/none/foos.py cannot be written: No such" in refusal(project.make("model", "NAME=Foo"))
    assert "usage: make model NAME=" in refusal(project.make("model"))
    assert before == {path for path in project.path.rglob("*.py") if "__pycache__" not in path.parts}


OTHER = """
from app.models.base import BaseModel


class Categorie(BaseModel):
    pass
"""


def test_a_project_without_developer_tools_is_told_so(sqlite_project: Project) -> None:
    script = """
import importlib.util as util, sys

find = util.find_spec
util.find_spec = lambda name: None if name == "ruff" else find(name)
from dbkit.cli import main

sys.exit(main(["model", "Invoice"]))
"""
    result = sqlite_project.python("-c", script)
    assert "ruff, which formats the files, is missing" in result.stderr
    assert not (sqlite_project.path / "app/models/invoice.py").exists()
