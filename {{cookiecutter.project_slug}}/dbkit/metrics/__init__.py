"""What a database costs the application, and what runs and ran on it, for Prometheus."""

from dbkit.metrics.engine import MeasuredPool, measure
from dbkit.metrics.migrations import refresh_migrations

__all__ = ["MeasuredPool", "measure", "refresh_migrations"]
