"""What the project's tests run on: a throwaway database, and one transaction for each test."""

from dbkit.testing.failures import pytest_pyfunc_call
from dbkit.testing.isolation import isolated
from dbkit.testing.throwaway import Throwaway, use_throwaway_database

__all__ = ["Throwaway", "isolated", "pytest_pyfunc_call", "use_throwaway_database"]
