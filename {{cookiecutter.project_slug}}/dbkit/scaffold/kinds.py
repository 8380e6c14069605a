"""The types that a field may have, and what each is in a model, in a schema and in a test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A type of fields.

    Args:
        python: the type of the model's attribute.
        column: arguments of `mapped_column`, if the type alone does not say enough.
        schema: the type in a schema.
        samples: two values in JSON, as Python writes them.
    """

    python: str
    column: str
    schema: str
    samples: tuple[str, str]


KINDS = {
    "str": Kind("str", "String(200)", "Annotated[Text, Field(max_length=200)]", ('"one"', '"two"')),
    "text": Kind("str", "Text", "Text", ('"one"', '"two"')),
    # PostgreSQL's integer has 32 bits, SQLite's 64.
    "int": Kind("int", "", "Annotated[int, Field(ge=-(2**31), lt=2**31)]", ("1", "2")),
    "float": Kind("float", "", "FiniteFloat", ("1.5", "2.5")),
    "bool": Kind("bool", "", "bool", ("True", "False")),
    "Decimal": Kind(
        "Decimal",
        "Numeric(12, 2)",
        "Annotated[Decimal, Field(max_digits=12, decimal_places=2)]",
        ('"1.50"', '"2.50"'),
    ),
    "date": Kind("date", "", "date", ('"2026-01-01"', '"2026-01-02"')),
    "datetime": Kind(
        "datetime", "", "AwareDatetime", ('"2026-01-01T00:00:00Z"', '"2026-01-02T00:00:00Z"')
    ),
    "UUID": Kind("UUID", "", "UUID", (f'"{"0" * 31}1"', f'"{"0" * 31}2"')),
}
