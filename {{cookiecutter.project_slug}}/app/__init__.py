"""The service. It runs from its checkout: `PROJECT` is the folder that holds `alembic.ini`."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
