"""Says in a line what a change of type does to rows, where it is more than the models say."""

from collections.abc import Iterator

from alembic.operations import ops

from dbkit.autogenerate.conversions import Conversions
from dbkit.autogenerate.value_changes import value_change


def type_notes(
    op: ops.AlterColumnOp,
    had: str,
    wanted: str,
    using: str | None,
    conversions: Conversions,
    when: str = "",
) -> Iterator[str]:
    """Yield a line where values change, where some make it fail, and where all do.

    Args:
        using: the expression that converts values; None where there is none.
        when: words such as "in the downgrade, ".
    """
    change = f"{when}{op.table_name}.{op.column_name} becomes {wanted} instead of {had}"
    if using is None:
        yield (
            f"No conversion: {change}, and PostgreSQL has no cast for it: write SQL that makes its"
            ' values, as postgresql_using="…" of op.alter_column'
        )
        return
    effect = value_change(had, wanted)
    if effect:
        yield f"Values change: {change}, which {effect}"
    failing = conversions.values_that_fail(had, wanted)
    if failing:
        yield f"Rows may fail: {change}, and these values cannot: {', '.join(failing)}"
