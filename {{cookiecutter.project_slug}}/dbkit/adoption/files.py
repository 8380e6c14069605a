"""The two files of a baseline: SQL, and a revision that runs it."""

from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from alembic.util import CommandError, rev_id

from dbkit.revisions import scripts, writer

PLACEHOLDER = "BASELINE.sql"
BODIES = """\
# A function may name tables that are created after it.
    op.execute("SET LOCAL check_function_bodies = false")
    """
UPGRADE = f'op.run_sql_file("{PLACEHOLDER}")'
DOWNGRADE = """\
raise CommandError(
        "the baseline is what was there before all revisions: reverting it would drop everything"
    )"""
MARK = """\
# The schema was there before the revisions: nothing reverts this one, `make migrate-test` neither.
is_baseline: bool = True
"""


@dataclass(frozen=True)
class Baseline:
    """A baseline in `alembic/versions/`."""

    revision: str
    path: Path

    @property
    def sql(self) -> Path:
        """The file of SQL beside the revision."""
        return self.path.with_suffix(".sql")

    def remove(self) -> None:
        """Remove both files."""
        self.path.unlink(missing_ok=True)
        self.sql.unlink(missing_ok=True)
        scripts.cache_clear()


def remove_files(paths: list[str]) -> None:
    """Remove revisions, and let the others be read anew."""
    for path in paths:
        Path(path).unlink()
    scripts.cache_clear()


def write_baseline(message: str, sql: str, dialect: str) -> Baseline:
    """Write both files, and let revisions be read anew.

    Args:
        message: what the revision and the files are called.
        sql: the schema.

    Raises:
        CommandError: the files cannot be written.
    """
    arguments = {"message": message}
    writer.check_message(message, arguments)
    writer.protect_files(scripts(), arguments)
    has_functions = dialect == "postgresql" and ("CREATE FUNCTION" in sql or "CREATE PROC" in sql)
    with redirect_stdout(StringIO()):  # what Alembic writes there may not stay
        script = scripts().generate_revision(
            rev_id(),
            message,
            head="base",
            imports="from alembic.util import CommandError",
            upgrades=f"{BODIES if has_functions else ''}{UPGRADE}",
            downgrades=DOWNGRADE,
        )
    if script is None:
        raise CommandError("Alembic wrote no revision")
    baseline = Baseline(script.revision, Path(script.path))
    if baseline.sql.exists():
        remove_files([script.path])
        raise CommandError(f"{baseline.sql.name} is there already: remove it, or give another MSG")
    try:
        text = baseline.path.read_text(encoding="utf-8").replace(PLACEHOLDER, baseline.sql.name)
        head, functions, rest = text.partition("\n\ndef upgrade(")
        text = f"{head.rstrip()}\n\n{MARK}{functions}{rest}"
        for path, content in ((baseline.sql, sql), (baseline.path, text)):
            with writer.all_or_nothing(path):
                path.write_text(content, encoding="utf-8")
    except BaseException:
        baseline.remove()
        raise
    scripts.cache_clear()
    return baseline
