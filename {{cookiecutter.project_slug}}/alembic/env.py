"""What Alembic runs for each command. The work is in `app/migrator/environment.py`."""

import app.models  # noqa: F401 - the registry: fills the metadata
from app.migrator import environment
from app.models.base import Base

environment.run(Base.metadata)
