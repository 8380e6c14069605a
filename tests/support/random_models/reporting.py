"""What whoever mends a failure sees of a case."""

from difflib import unified_diff

from support.random_models.models import Models


def case(seed: int, dialect: str, change: str, before: Models, after: Models) -> str:
    """Return the models as Python, with a change of them marked by + and -."""
    whole = unified_diff(before.source().splitlines(), after.source().splitlines(), n=10_000, lineterm="")
    lines = [*whole][3:] or before.source().splitlines()
    return "\n".join([f"seed {seed}, {dialect}, change: {change}; made smaller:", *lines])
