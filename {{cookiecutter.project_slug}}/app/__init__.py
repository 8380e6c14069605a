"""The service: its name, version and description are those of `pyproject.toml`."""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

_pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

TITLE: str = _pyproject["tool"]["service"]["title"]
VERSION: str = _pyproject["project"]["version"]
DESCRIPTION: str = _pyproject["project"]["description"]
