"""What the models say: their tables, the SQL that makes them, and what is known to agree with it.

It imports none of what compares, which takes longer than to find that nothing has changed.
"""

from dbkit.metadata.agreement import NO_CHANGES, Agreement, find_agreement
from dbkit.metadata.loader import load_metadata
from dbkit.metadata.script import creating, run_script

__all__ = [
    "NO_CHANGES",
    "Agreement",
    "creating",
    "find_agreement",
    "load_metadata",
    "run_script",
]
