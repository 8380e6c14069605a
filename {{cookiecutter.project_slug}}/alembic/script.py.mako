<%! from dbkit.revisions.writer import body, comment, docstring %>\
"""${message | docstring}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | Sequence[str] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
% for line in (notes or {}).get(up_revision, []):
    # ${line | comment}
% endfor
    ${upgrades if upgrades else "pass" | body}


def downgrade() -> None:
    ${downgrades if downgrades else "pass" | body}
