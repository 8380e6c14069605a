"""What Alembic runs for each command. Say here what your service wants different.

`environment.run` takes the keywords of Alembic's `context.configure`, such as `compare_type`,
`include_object` or `version_table`: see "Options of your own" in README.md beside this file.
"""

from sqlalchemy import MetaData

from app.naming import NAMING_CONVENTION
from dbkit import environment


def metadata() -> MetaData:
    """Import all models; only commands that compare or write models call this."""
    from app.models.base import Base

    return Base.metadata


environment.run(metadata, naming_convention=NAMING_CONVENTION)
