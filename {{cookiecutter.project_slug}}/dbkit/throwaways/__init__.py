"""Throwaway databases that the revisions have built, cloned from templates where we keep some."""

from dbkit.throwaways.built import build_from, built_database
from dbkit.throwaways.copies import Copies
from dbkit.throwaways.place import throwaway_server
from dbkit.throwaways.stock import Stock, find_stock

__all__ = ["Copies", "Stock", "build_from", "built_database", "find_stock", "throwaway_server"]
