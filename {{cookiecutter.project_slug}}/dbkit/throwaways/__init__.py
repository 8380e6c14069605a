"""Throwaway databases that the revisions have built, cloned from templates where we keep some."""

from dbkit.throwaways.built import built_database
from dbkit.throwaways.place import throwaway_server
from dbkit.throwaways.stock import find_key

__all__ = ["built_database", "find_key", "throwaway_server"]
