"""Writes the four files of a resource, and formats them as the project's own."""

import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from string import Template

from sqlalchemy import MetaData

from dbkit import PROJECT
from dbkit.scaffold.fields import Field, ScaffoldError, check_name, read_fields
from dbkit.table_names import snake_case, table_name

TEMPLATES = Path(__file__).with_name("templates")
DEFAULT_FIELDS = "name:str"


def write_resource(name: str, fields: str, metadata: MetaData) -> list[str]:
    """Write model, schemas, endpoints and tests of a new resource.

    Args:
        name: of the model, such as `Invoice`.
        fields: such as `number:str:unique total:Decimal paid_at:datetime?`.
        metadata: the tables that the models have already.

    Returns:
        The files, relative to the project.

    Raises:
        ScaffoldError: something stands in the way; nothing was written.
    """
    read = read_fields(fields.strip() or DEFAULT_FIELDS)
    module, plural = snake_case(check_name(name)), table_name(name)
    texts = {
        f"app/models/{module}.py": "model.txt",
        f"app/schemas/{module}.py": "schemas.txt",
        f"app/api/{plural}.py": "endpoints.txt",
        f"tests/test_{plural}.py": "tests.txt",
    }
    for path in texts:
        if (PROJECT / path).exists():
            raise ScaffoldError(f"{path} is there already: choose another NAME")
    if plural in metadata.tables:
        raise ScaffoldError(f"a table {plural} is there already: choose another NAME")
    if find_spec("ruff") is None:
        raise ScaffoldError("ruff, which formats the files, is missing: 'make install'")
    values = _values(name, module, plural, read)
    for path, template in texts.items():
        (PROJECT / path).write_text(_fill(template, values), "utf-8")
    _format([*texts])
    return [*texts]


def _values(name: str, module: str, plural: str, fields: list[Field]) -> dict[str, str]:
    words = plural.replace("_", " ")
    values = {
        "Name": name,
        "name": module,
        "words": module.replace("_", " "),
        "plural": plural,
        "path": plural.replace("_", "-"),
        "title": words,
        "Title": words.capitalize(),
        "columns": _lines(_column(field) for field in fields),
        "create": _lines(_created(field) for field in fields),
        "update": _lines(_updated(field) for field in fields),
        "read": _lines(f"{field.name}: {_optional(field, field.kind.python)}" for field in fields),
        "values": _sample(fields, 0),
        "others": _sample(fields, 1),
        "conflict": "",
    }
    if any(field.is_unique for field in fields):
        values["conflict"] = _fill("conflict.txt", values)
    return values


def _fill(template: str, values: dict[str, str]) -> str:
    return Template((TEMPLATES / template).read_text("utf-8")).substitute(values)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _optional(field: Field, python: str) -> str:
    return f"{python} | None" if field.is_optional else python


def _column(field: Field) -> str:
    arguments = [field.kind.column] if field.kind.column else []
    arguments += ["unique=True"] if field.is_unique else []
    arguments += ["index=True"] if field.is_indexed else []
    mapped = f"{field.name}: Mapped[{_optional(field, field.kind.python)}]"
    return f"{mapped} = mapped_column({', '.join(arguments)})" if arguments else mapped


def _created(field: Field) -> str:
    typed = f"{field.name}: {_optional(field, field.kind.schema)}"
    return f"{typed} = None" if field.is_optional else typed


def _updated(field: Field) -> str:
    typed = f"{field.name}: {_optional(field, field.kind.schema)}"
    return f"{typed} = Field(default_factory=left_out)"


def _sample(fields: list[Field], number: int) -> str:
    pairs = (f'"{field.name}": {field.kind.samples[number]}' for field in fields)
    return "{" + ", ".join(pairs) + "}"


def _format(paths: list[str]) -> None:
    """Sort the imports, remove those that these fields do not need, and format."""
    for command in (["check", "--fix-only", "--select=F401,I"], ["format"]):
        subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", *paths], cwd=PROJECT, check=True
        )
