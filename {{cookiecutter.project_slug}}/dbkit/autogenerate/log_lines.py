"""Lets Alembic's log lines name what they show the address of: functions, and its own objects."""

import logging

from alembic.ddl.impl import DefaultImpl

LOGGERS = ("server_defaults", "types")  # of the modules of Alembic that log such objects


def _readable(value: object) -> object:
    if isinstance(value, DefaultImpl):
        return value.__dialect__
    return getattr(value, "__qualname__", value) if callable(value) else value


def _name_arguments(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(map(_readable, record.args))
    return True


def name_objects() -> None:
    """Change the lines from now on."""
    for name in LOGGERS:
        logging.getLogger(f"alembic.autogenerate.compare.{name}").addFilter(_name_arguments)
