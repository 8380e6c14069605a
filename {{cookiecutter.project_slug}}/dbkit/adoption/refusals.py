"""What keeps a database from being adopted, found before anything is written."""

import subprocess
from fnmatch import fnmatchcase

from alembic.util import CommandError
from sqlalchemy import Connection

from dbkit import PROJECT
from dbkit.revisions import is_baseline, scripts

EXAMPLE = "5f3a9c1e7b24"  # the revision that every new project begins with
# What a revision cannot create unless a superuser runs it: https://www.postgresql.org/docs/current/
SUPERUSER_ONLY = """
SELECT kind, name FROM (
    SELECT 'foreign data wrapper' AS kind, 'pg_foreign_data_wrapper'::regclass AS classid, oid,
        quote_ident(fdwname) AS name FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'foreign server', 'pg_foreign_server'::regclass, oid, quote_ident(srvname)
        FROM pg_foreign_server
    UNION ALL SELECT 'event trigger', 'pg_event_trigger'::regclass, oid, quote_ident(evtname)
        FROM pg_event_trigger
    UNION ALL SELECT 'access method', 'pg_am'::regclass, oid, quote_ident(amname) FROM pg_am
    UNION ALL SELECT 'language', 'pg_language'::regclass, oid, quote_ident(lanname)
        FROM pg_language WHERE NOT lanpltrusted
    UNION ALL SELECT 'function', 'pg_proc'::regclass, p.oid, p.oid::regprocedure::text
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
        WHERE NOT l.lanpltrusted AND p.prokind <> 'a'
    UNION ALL SELECT 'base type', 'pg_type'::regclass, oid, oid::regtype::text
        FROM pg_type WHERE typtype = 'b' AND typcategory <> 'A'
    UNION ALL SELECT 'operator class', 'pg_opclass'::regclass, oid, quote_ident(opcname)
        FROM pg_opclass
    UNION ALL SELECT 'text search parser', 'pg_ts_parser'::regclass, oid, quote_ident(prsname)
        FROM pg_ts_parser
    UNION ALL SELECT 'text search template', 'pg_ts_template'::regclass, oid, quote_ident(tmplname)
        FROM pg_ts_template
    UNION ALL SELECT 'cast', 'pg_cast'::regclass, oid,
        format_type(castsource, NULL) || ' AS ' || format_type(casttarget, NULL)
        FROM pg_cast WHERE castmethod = 'b'
    UNION ALL SELECT 'publication of all tables', 'pg_publication'::regclass, oid,
        quote_ident(pubname) FROM pg_publication WHERE puballtables
    UNION ALL SELECT 'subscription', 'pg_subscription'::regclass, oid, quote_ident(subname)
        FROM pg_subscription
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS objects
WHERE oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_depend AS d
    WHERE d.classid = objects.classid AND d.objid = objects.oid AND d.deptype IN ('e', 'i')
)
ORDER BY 1, 2
"""


def check_revisions() -> list[str]:
    """Return the files of the example's revision, which a baseline replaces.

    Raises:
        CommandError: there are revisions of the service's own.
    """
    found = list(scripts().walk_revisions())
    for revision in found:
        if is_baseline(revision):
            raise CommandError(
                f"{revision.revision} is a baseline already: record it in another database of the "
                f"same schema with 'make migration-stamp REV={revision.revision}'"
            )
    own = [revision.revision for revision in found if revision.revision != EXAMPLE]
    if own:
        names = ", ".join(own[:3]) + (" and more" if len(own) > 3 else "")
        raise CommandError(
            f"a baseline takes the place of the first revision, and {names} of your own were "
            "written without it: delete their files, and write them again after the baseline"
        )
    return [revision.path for revision in found]


def check_committed() -> None:
    """Raise `CommandError` if Git would not bring back what is replaced in `alembic/`."""
    try:
        result = subprocess.run(
            ["git", "status", "--porcelain", "--", "alembic"],  # noqa: S607 - found by PATH
            cwd=PROJECT,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError:  # no Git on this machine: somebody else keeps the files
        return
    if result.returncode == 0 and result.stdout.strip():
        raise CommandError(
            "alembic/ has changes that are not committed, and a baseline replaces files there: "
            "commit them, or take them back ('git status alembic' lists them)"
        )


def check_objects(connection: Connection, patterns: list[str]) -> None:
    """Raise `CommandError` for objects that a revision cannot create, and name them.

    Args:
        patterns: those of `leave_alone`.
    """
    if connection.dialect.name != "postgresql":
        return
    found = [
        f"{row.kind} {row.name}"
        for row in connection.exec_driver_sql(SUPERUSER_ONLY)
        if not any(fnmatchcase(row.name.strip('"'), pattern) for pattern in patterns)
    ]
    if found:
        raise CommandError(
            f"a superuser made these, and only one can: {', '.join(found)}. Name them in "
            "leave_alone of alembic.ini; whoever makes a new database creates them before the "
            "first revision"
        )
