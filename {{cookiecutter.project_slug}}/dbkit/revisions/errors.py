"""Errors about the revisions of this checkout as a whole."""

from alembic.script import ScriptDirectory
from alembic.util import CommandError


def several_heads(script: ScriptDirectory) -> CommandError:
    """Return the error that names the heads of this checkout, and what joins them."""
    heads = ", ".join(script.get_heads())
    return CommandError(
        f"several heads ({heads}): join them with 'make migration-merge', or name one"
    )
