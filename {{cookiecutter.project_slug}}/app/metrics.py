"""Metrics of the service: requests by route. Those of the database are the kit's."""

import os

from prometheus_client import Histogram, Info

from app.about import VERSION

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
REQUESTS = Histogram(
    "http_request_duration_seconds",
    "Time of a request, by its route: count, sum and buckets.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
# One worker a container: with several, each scrape reaches one of them, and this says which.
Info("service", "Which process answered the scrape.").info(
    {"pid": str(os.getpid()), "version": VERSION}
)


def observe(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request; what a client makes up, such as a method or a path, is no label."""
    method = method if method in METHODS else "other"
    REQUESTS.labels(method, route or "none", str(status)).observe(seconds)
