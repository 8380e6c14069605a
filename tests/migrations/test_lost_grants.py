"""An object that a revision makes anew has lost its GRANTs: the run says so, with the statements."""

import re

import pytest

from support.database_state import add_revision
from support.projects import Project, ok

pytestmark = pytest.mark.long

LOST = re.compile(r"\] ([^\n\]]*) has fewer privileges than before this run; [^:]*: (GRANT [^\n]*)")
MADE = (
    'op.execute("CREATE VIEW names AS SELECT id, name FROM users")',
    "op.execute(\"CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'\")",
    'op.execute("CREATE SEQUENCE tickets")',
    'op.execute("CREATE TYPE pair AS (a integer)")',
)
GONE = tuple(
    f'op.execute("DROP {what}")' for what in ("VIEW names", "FUNCTION one()", "SEQUENCE tickets", "TYPE pair")
)


@pytest.mark.slow
def test_what_is_made_anew_without_its_grants_is_named(postgresql_project: Project) -> None:
    project = postgresql_project
    add_revision(project, *MADE)
    assert LOST.findall(ok(project.make("migrate"))) == []
    database = project.url.rpartition("/")[2]
    plain, special = f"reader_{database}", f'"A "" reader {database}"'
    project.script(
        f"CREATE ROLE {plain}; CREATE ROLE {special};"
        f"GRANT SELECT, UPDATE ON names TO {plain}; GRANT SELECT (id) ON names TO {special};"
        f"GRANT EXECUTE ON FUNCTION one() TO {plain}; GRANT USAGE ON SEQUENCE tickets TO PUBLIC;"
        f"GRANT USAGE ON TYPE pair TO {special}; GRANT SELECT ON users TO {special}"
    )
    add_revision(project, *GONE, *MADE)
    said = dict(LOST.findall(ok(project.make("migrate"))))
    assert said == {
        "column public.names.id": f"GRANT SELECT (id) ON public.names TO {special}",
        "function public.one()": f"GRANT EXECUTE ON ROUTINE public.one() TO {plain}",
        "sequence public.tickets": "GRANT USAGE ON SEQUENCE public.tickets TO PUBLIC",
        "type public.pair": f"GRANT USAGE ON TYPE public.pair TO {special}",
        "view public.names": f"GRANT SELECT, UPDATE ON public.names TO {plain}",
    }
    for statement in said.values():
        project.script(statement)
    add_revision(project, 'op.execute("REVOKE UPDATE ON names FROM PUBLIC")')
    assert LOST.findall(ok(project.make("migrate"))) == []
