"""Parts of database URLs that the tests of their meaning and those on a real server share."""

HARD = "%@:/#? w%&=["
SCHEMES = [
    *("postgres", "postgresql", "postgresql+asyncpg", "postgres+asyncpg", "postgresql+psycopg2"),
    *("postgresql+psycopg", "postgresql+psycopg_async", "postgresql+pg8000"),
]
