"""The kit: connects to databases, writes revisions, and changes databases safely.

It is a library that lives in the project: it imports nothing of `app`, and an update of the
template replaces this folder as a whole. What a service may want different is an argument in
`alembic/env.py`, a line in `alembic.ini` or a setting. A package imports only what stands below it:

    cli, environment, startup, status    how it is asked for: command line, Alembic, code, health
    metrics                              what a database costs and what ran on it, for Prometheus
    asgi                                 an application's start: failures as one line
    testing                              what the project's tests run on
    adoption, scaffold                   adopt a database that nothing manages; write a resource
    diagram, report                      the models as a document; revisions and runs as a page
    checks                               whether this code may be deployed
    autogenerate                         write the revision that the models need
    metadata                             what the models say, and what is known to agree with it
    throwaways                           throwaway databases that the revisions have built
    devserver                            the development database server
    execution                            carry revisions out on one database
    locking                              wait for others: the lock, blockers, backoff
    history                              what ran on a database
    revisions                            the revision files of this checkout
    operations                           op.* for tables that are in use, and for SQL files
    sql_files                            SQL files that belong to a revision
    transactions                         one transaction or autocommit, never both
    schema                               what a database really holds, and how two differ
    connection                           any DATABASE_URL → a connection
    errors, redaction, request, …        one-line errors, a command's request, variables, files
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent  # the folder that holds `alembic.ini`
