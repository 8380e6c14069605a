"""Fixtures of the tests that type commands."""

from pathlib import Path

import pytest

from support.typed import Typed, activated


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    """`typed(project, line)`: the line in Bash, in the project, its environment activated."""
    return activated(tmp_path / "bin")
