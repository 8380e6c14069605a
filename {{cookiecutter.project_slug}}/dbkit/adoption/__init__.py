"""Adopts a database that nothing manages: a first revision that builds exactly it, proved."""

from dbkit.adoption.baseline import adopt_database
from dbkit.adoption.stamping import compare_stamp

__all__ = ["adopt_database", "compare_stamp"]
