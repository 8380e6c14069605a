"""Reads what was typed: `NAME=Invoice FIELDS="number:str:unique paid_at:datetime?"`."""

import builtins
import keyword
import re
from dataclasses import dataclass

from pydantic import BaseModel

from dbkit.scaffold.style import Kind, ScaffoldError, Style
from dbkit.table_names import snake_case

OPTIONS = ("unique", "index")


@dataclass(frozen=True)
class Field:
    """A field of a resource."""

    name: str
    kind: Kind
    is_optional: bool
    is_unique: bool
    is_indexed: bool


def check_name(name: str, style: Style) -> str:
    """Return the name of a resource, or raise `ScaffoldError`."""
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,39}", name):
        raise ScaffoldError(
            f"NAME={name!r}: a model is named like InvoiceItem: letters and digits, a capital first"
        )
    module = snake_case(name)
    if keyword.iskeyword(module) or hasattr(builtins, name):
        raise ScaffoldError(
            f"NAME={name}: Python has {module} or {name} itself: choose another one"
        )
    if name in style.refused_models:
        raise ScaffoldError(f"NAME={name}: the modules of a resource use that name already")
    return name


def read_fields(text: str, style: Style) -> list[Field]:
    """Return the fields that `FIELDS` names, in their order.

    Raises:
        ScaffoldError: one of them cannot be a field.
    """
    fields = [_read(word, style) for word in text.split()]
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ScaffoldError(f"FIELDS: {twice} stands there twice")
    return fields


def _read(word: str, style: Style) -> Field:
    name, _, rest = word.partition(":")
    typed, *options = rest.split(":")
    kind = style.kinds.get(typed.removesuffix("?"))
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name) or keyword.iskeyword(name):
        raise ScaffoldError(
            f"FIELDS: {name!r} cannot be a field: lower-case letters, digits and _, no keyword"
        )
    is_pydantics = hasattr(BaseModel, name) or name.startswith("model_")
    if name in style.refused_fields or is_pydantics:
        raise ScaffoldError(f"FIELDS: every model or schema has {name} already, or needs the name")
    if kind is None:
        raise ScaffoldError(
            f"FIELDS: {name} has no known type: write {name}:str; types are "
            f"{' '.join(style.kinds)}; a ? behind the type lets it be empty"
        )
    if unknown := [option for option in options if option not in OPTIONS]:
        raise ScaffoldError(f"FIELDS: {name}: {unknown[0]!r} is neither unique nor index")
    if options and not kind.is_indexable:
        raise ScaffoldError(
            f"FIELDS: {name}: a {typed} may be longer than an index can hold: make it a str"
        )
    if "unique" in options and kind.python == "bool":
        raise ScaffoldError(f"FIELDS: {name}: two rows at most could have a unique bool")
    return Field(name, kind, typed.endswith("?"), "unique" in options, "index" in options)
