"""What a database costs the application, and what runs and ran on it, for Prometheus."""

from dbkit.metrics.engine import MeasuredPool, measure, measure_pool
from dbkit.metrics.migrations import refresh_migrations
from dbkit.metrics.replica import refresh_replica

__all__ = ["MeasuredPool", "measure", "measure_pool", "refresh_migrations", "refresh_replica"]
