"""Checks before a deployment: the database against this code, and all revisions up and down."""

from dbkit.checks.deployment import check_deployment
from dbkit.checks.report import Report
from dbkit.checks.round_trip import check_round_trip

__all__ = ["Report", "check_deployment", "check_round_trip"]
