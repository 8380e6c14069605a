"""Reads what was typed: `NAME=Invoice FIELDS="number:str:unique paid_at:datetime?"`."""

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dbkit.scaffold.kinds import KINDS, Kind

OPTIONS = ("unique", "index")
# What every model has, or SQLAlchemy and pydantic use.
RESERVED = (
    *("id", "created_at", "updated_at", "version", "metadata", "registry", "copy", "json"),
    *("dict", "validate", "construct", "schema", "fields"),
    *("bool", "date", "datetime", "float", "int", "str", "text"),  # a later line needs the type
)
# What the modules of a resource import or name themselves.
TAKEN = (
    *("Annotated", "Any", "APIRouter", "AsyncClient", "AwareDatetime", "Base", "BaseModel"),
    *("Decimal", "Field", "FiniteFloat", "HTTPException", "IfMatch", "Index", "Mapped"),
    *("Numeric", "Page", "Request", "Response", "Schema", "SessionDep", "String", "Text", "UUID"),
    *("Wanted", "True", "False", "None"),
)


class ScaffoldError(Exception):
    """What was typed cannot be written. Its text is one line."""


@dataclass(frozen=True)
class Field:
    """A field of a resource."""

    name: str
    kind: Kind
    is_optional: bool
    is_unique: bool
    is_indexed: bool


def check_name(name: str) -> str:
    """Return the name of a resource, or raise `ScaffoldError`."""
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,39}", name):
        raise ScaffoldError(
            f"NAME={name!r}: a model is named like InvoiceItem: letters and digits, a capital first"
        )
    if name in TAKEN:
        raise ScaffoldError(f"NAME={name}: the modules of a resource use that name already")
    return name


def read_fields(text: str) -> list[Field]:
    """Return the fields that `FIELDS` names, in their order.

    Raises:
        ScaffoldError: one of them cannot be a field.
    """
    fields = [_read(word) for word in text.split()]
    names = [field.name for field in fields]
    if twice := _first_twice(names):
        raise ScaffoldError(f"FIELDS: {twice} stands there twice")
    return fields


def _read(word: str) -> Field:
    name, _, rest = word.partition(":")
    typed, *options = rest.split(":")
    kind = KINDS.get(typed.removesuffix("?"))
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name) or keyword.iskeyword(name):
        raise ScaffoldError(
            f"FIELDS: {name!r} cannot be a field: lower-case letters, digits and _, no keyword"
        )
    if name in RESERVED or name.startswith("model_"):
        raise ScaffoldError(f"FIELDS: every model or schema has {name} already, or needs the name")
    if kind is None:
        known = " ".join(KINDS)
        raise ScaffoldError(
            f"FIELDS: {name} has no known type: write {name}:str; types are {known}; "
            "a ? behind the type lets it be empty"
        )
    if unknown := [option for option in options if option not in OPTIONS]:
        raise ScaffoldError(f"FIELDS: {name}: {unknown[0]!r} is neither unique nor index")
    if "unique" in options and kind is KINDS["bool"]:
        raise ScaffoldError(f"FIELDS: {name}: two rows at most could have a unique bool")
    return Field(name, kind, typed.endswith("?"), "unique" in options, "index" in options)


def _first_twice(names: list[str]) -> str | None:
    def again() -> Iterator[str]:
        for number, name in enumerate(names):
            if name in names[:number]:
                yield name

    return next(again(), None)
