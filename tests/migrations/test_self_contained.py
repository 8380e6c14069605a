"""Which revisions say in their own file all that they do: those alone are kept in templates."""

import json

from support.projects import Project, ok

SOURCES = {
    "from alembic import op, context\nimport sqlalchemy as sa\nfrom pgvector.sqlalchemy import Vector": True,
    "'''Says import, open and config.'''\nsa.table('config', sa.column('open')).c.config": True,
    "from dbkit.sql_type import SQLType": True,  # as autogenerate writes it
    "op.run_sql_file('first.sql')": True,  # hashed with the revision
    "from app.models.user import User": False,
    "def upgrade():\n    from app import naming": False,
    "import sqlalchemy as sa; import os": False,
    "from sqlalchemy import create_engine as connect": False,
    "from . import other": False,
    "open('rows.csv')": False,
    "context.get_x_argument()": False,
    "op.get_context().config": False,
    "op.execute(\"COPY users FROM '/rows.csv'\")": False,
    "op.execute('IMPORT FOREIGN SCHEMA other FROM SERVER there INTO public')": False,
}
CONTAINED = """
import json, sys
from dbkit.throwaways.self_contained import is_self_contained
print(json.dumps([is_self_contained(source) for source in sys.argv[1:]]))
"""


def test_which_revisions_say_all_that_they_do(sqlite_project: Project) -> None:
    found = json.loads(ok(sqlite_project.python("-c", CONTAINED, *SOURCES)))
    assert dict(zip(SOURCES, found, strict=True)) == SOURCES
