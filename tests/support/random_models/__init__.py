"""Random models and random changes of them, from a seed."""

from support.random_models import column_changes, part_changes, type_changes  # noqa: F401 - they register their changes
from support.random_models.changes import any_change, changed, kinds_of_changes
from support.random_models.generate import Generator
from support.random_models.models import Models, statements

__all__ = ["Generator", "Models", "any_change", "changed", "kinds_of_changes", "statements"]
