"""Writes the revision that the models need, and tells how a database differs from them."""

from dbkit.autogenerate.agreement import Agreement, find_agreement
from dbkit.autogenerate.comparison import find_differences
from dbkit.autogenerate.directives import NO_CHANGES
from dbkit.autogenerate.models import load_metadata
from dbkit.autogenerate.options import autogenerate_options
from dbkit.autogenerate.taking import take_pictures
from dbkit.autogenerate.verification import with_pictures, write_proved

__all__ = [
    "NO_CHANGES",
    "Agreement",
    "autogenerate_options",
    "find_agreement",
    "find_differences",
    "load_metadata",
    "take_pictures",
    "with_pictures",
    "write_proved",
]
