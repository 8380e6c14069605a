"""The service's name, title, version and description: those of `pyproject.toml`."""

import tomllib

from app import PROJECT

_pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

NAME: str = _pyproject["project"]["name"]
TITLE: str = _pyproject["tool"]["service"]["title"]
VERSION: str = _pyproject["project"]["version"]
DESCRIPTION: str = _pyproject["project"]["description"]
