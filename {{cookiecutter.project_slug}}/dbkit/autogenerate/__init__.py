"""Writes the revision that the models need, and tells how a database differs from them."""

from dbkit.autogenerate.comparison import find_differences
from dbkit.autogenerate.options import autogenerate_options
from dbkit.autogenerate.taking import take_pictures
from dbkit.autogenerate.verification import with_pictures, write_proved

__all__ = [
    "autogenerate_options",
    "find_differences",
    "take_pictures",
    "with_pictures",
    "write_proved",
]
