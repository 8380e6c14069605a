"""Throwaway databases that the revisions have built, cloned from templates where we keep some."""

from dbkit.throwaways.built import built_database

__all__ = ["built_database"]
