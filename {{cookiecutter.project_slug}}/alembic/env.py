"""What Alembic runs for each command. The work is in `app/migrator/environment.py`."""

from app.migrator import environment
from dbkit.errors import loading

with loading():
    from app.models.base import Base

environment.run(Base.metadata)
