"""Writes the four files of a resource, and formats them as the project's own."""

import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from string import Template

from sqlalchemy import MetaData

from dbkit import PROJECT
from dbkit.scaffold.fields import Field, check_name, read_fields
from dbkit.scaffold.style import ScaffoldError, Style, fill, read_style
from dbkit.table_names import snake_case, table_name


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
    style = read_style()
    read = read_fields(fields.strip() or style.default, style)
    values = _values(check_name(name, style), read, style)
    texts = {
        Template(path).safe_substitute(values): fill(template, values)
        for path, template in style.files.items()
    }
    for path in texts:
        if (PROJECT / path).exists():
            raise ScaffoldError(f"{path} is there already: choose another NAME")
    if values["plural"] in metadata.tables:
        raise ScaffoldError(f"a table {values['plural']} is there already: choose another NAME")
    if find_spec("ruff") is None:
        raise ScaffoldError("ruff, which formats the files, is missing: 'make install'")
    try:
        for path, text in texts.items():
            (PROJECT / path).write_text(text, "utf-8")
        _format([*texts])
    except (OSError, subprocess.CalledProcessError) as error:
        for other in texts:
            (PROJECT / other).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ScaffoldError(f"{path} cannot be written: {error.strerror}") from None
        raise ScaffoldError("the templates in scaffold/ make no Python of it, see above") from None
    return [*texts]


def _values(name: str, fields: list[Field], style: Style) -> dict[str, str]:
    """Return what stands in the templates behind a dollar sign."""
    module, plural = snake_case(name), table_name(name)
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
        "update": _lines(f"{_typed(field)} = {style.left_out}" for field in fields),
        "read": _lines(f"{field.name}: {_optional(field, field.kind.python)}" for field in fields),
        "values": _sample(fields, 0),
        "others": _sample(fields, 1),
    }
    has_unique = any(field.is_unique for field in fields)
    parts = {part: fill(text, values) if has_unique else "" for part, text in style.parts.items()}
    return {**values, **parts}


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


def _typed(field: Field) -> str:
    return f"{field.name}: {_optional(field, field.kind.schema)}"


def _created(field: Field) -> str:
    return f"{_typed(field)} = None" if field.is_optional else _typed(field)


def _sample(fields: list[Field], number: int) -> str:
    pairs = (f'"{field.name}": {field.kind.samples[number]}' for field in fields)
    return "{" + ", ".join(pairs) + "}"


def _format(paths: list[str]) -> None:
    """Sort the imports, remove those that these fields do not need, and format."""
    for command in (["check", "--fix-only", "--select=F401,I"], ["format"]):
        subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", *paths], cwd=PROJECT, check=True
        )
