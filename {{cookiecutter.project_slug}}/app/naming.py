"""Names of constraints and indexes, for models and for revisions that give none.

It stands apart from the models because running a revision needs these names and no model.
https://alembic.sqlalchemy.org/en/latest/naming.html
"""

# A constraint without a name cannot be dropped by a later revision.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
