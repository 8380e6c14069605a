"""Revisions and runs of a database as one page of HTML that needs nothing else.

Mako, in which revisions are written, too, comes with Alembic, so the page can be made wherever
migrations run.
"""

from dbkit.report.content import Content, gather
from dbkit.report.page import render

__all__ = ["Content", "gather", "render"]
