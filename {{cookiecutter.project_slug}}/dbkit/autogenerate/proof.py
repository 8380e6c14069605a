"""Runs new revision files on a copy of what the revisions have built, before anybody reads them.

Up, they must make of it what the models say; down, what it was.
"""

from dataclasses import dataclass, field, replace
from warnings import catch_warnings

from alembic.autogenerate import RevisionContext
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit import execution
from dbkit.autogenerate.scratch import using, written
from dbkit.autogenerate.two_pictures import TwoPictures
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect
from dbkit.request import FindSteps, Kind, Request
from dbkit.revisions import known_revisions
from dbkit.schema import Difference, Picture, differences, read
from dbkit.schema.mending import mends

FILE, MODELS = "the revision", "the models"
BEFORE, AFTER = "the schema before it", "the schema after its downgrade"


@dataclass
class Outcome:
    """What a proof has shown.

    Args:
        failure: the line with which a file failed, if one did.
        not_written: what the files have made different from what the models say.
        left: what their downgrade leaves different from what was there before.
        mends: SQL that writes what is not written.
        downgrade_mends: SQL that restores what their downgrade leaves different.
    """

    failure: str = ""
    not_written: list[Difference] = field(default_factory=list)
    left: list[Difference] = field(default_factory=list)
    mends: list[str] = field(default_factory=list)
    downgrade_mends: list[str] = field(default_factory=list)

    def judge_upgrade(self, pictures: TwoPictures, after: Picture) -> None:
        """Compare what the files have made with what the models say."""
        if not pictures.has_own_writer:
            self.not_written = pictures.differences(after)
        self.mends = _statements(_turned(self.not_written), pictures.wanted, after)

    def judge_downgrade(self, before: Picture, after: Picture) -> None:
        """Compare what their downgrade has made with what was there before."""
        self.left = differences(before, after)
        self.downgrade_mends = _statements(self.left, before, after)

    def lines(self) -> list[str]:
        """Return a line for each thing that is not as it should be; none if all is proved."""
        return [
            *(f"not proved: {line}" for line in [self.failure] if line),
            *(f"not written: {one.describe(FILE, MODELS)}" for one in self.not_written),
            *(f"the downgrade leaves: {one.describe(BEFORE, AFTER)}" for one in self.left),
        ]


async def prove(
    copy: DatabaseURL,
    pictures: TwoPictures,
    environment: EnvironmentContext,
    command: RevisionContext,
    options: EnvironmentOptions,
) -> Outcome:
    """Run the files that `command` would write on `copy`, up and down.

    Args:
        copy: a copy of what the revisions have built; nobody is connected to it.
        pictures: what is there, and what the models say.
        environment: that of the command.
    """
    outcome = Outcome()
    old = known_revisions(environment.script)
    with written(command) as scratch, using(environment, scratch):
        before = _without_own(pictures.scope.found, pictures)
        try:
            await _run(copy, environment, options, execution.upgrade_steps(scratch))
            async with connect(copy, autocommit=False) as reader:  # the second look takes half
                outcome.judge_upgrade(pictures, await _look(reader, pictures))
                await _run(copy, environment, options, _steps_back(scratch, old))
                outcome.judge_downgrade(before, await _look(reader, pictures))
        except CommandError as error:
            outcome.failure = str(error)
    return outcome


async def _run(
    database: DatabaseURL,
    environment: EnvironmentContext,
    options: EnvironmentOptions,
    find: FindSteps,
) -> None:
    keywords = execution.run_keywords(options, database.dialect)
    executor = execution.Executor(environment, database, Request(Kind.RUN, find), keywords)
    with execution.quiet("alembic.migrator"):
        async with execution.migration_connection(database) as connection:
            with catch_warnings(action="ignore", category=SAWarning):  # its real run shows them
                await executor.run(connection)


def _steps_back(script: ScriptDirectory, old: set[str]) -> FindSteps:
    """Return a function that finds the steps that revert what `old` has not."""

    def find(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        revisions = script.iterate_revisions(heads, "base", select_for_downgrade=True)
        make = MigrationStep.downgrade_from_script
        return [
            make(script.revision_map, revision)
            for revision in revisions
            if revision.revision not in old
        ]

    return find


async def _look(reader: AsyncConnection, pictures: TwoPictures) -> Picture:
    return _without_own(await reader.run_sync(read), pictures)


def _without_own(picture: Picture, pictures: TwoPictures) -> Picture:
    own = pictures.scope.own
    return picture.without(
        lambda one: one.kind == "table" and pictures.scope.key_of(one)[-1] in own
    )


def _turned(found: list[Difference]) -> list[Difference]:
    """Return differences with what is expected first."""
    return [replace(one, first=one.second, second=one.first) for one in found]


def _statements(found: list[Difference], expected: Picture, after: Picture) -> list[str]:
    """Return SQL that takes away those differences that SQL can take away without losing data."""
    pairs = mends(found, expected, after)
    return [statement for _, mend in pairs for statement in mend.statements]
