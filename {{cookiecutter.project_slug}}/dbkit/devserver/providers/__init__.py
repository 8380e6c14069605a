"""Where PostgreSQL comes from: Docker, this machine, or a Python package."""

from dbkit.devserver.providers.choice import (
    PROVIDERS,
    complete_state,
    find_programs,
    forced_provider,
    uses_docker,
)

__all__ = ["PROVIDERS", "complete_state", "find_programs", "forced_provider", "uses_docker"]
