"""Registers `op.*` operations for tables that are in use."""

from dbkit.operations import backfill, columns, constraints, indexes

__all__ = ["backfill", "columns", "constraints", "indexes"]
