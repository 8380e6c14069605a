"""Lets a command write only what was proved, or says in the file what is wrong with it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from alembic.autogenerate import RevisionContext
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.plugins import Plugin
from alembic.util import CommandError

from dbkit.autogenerate.mends import add_mends
from dbkit.autogenerate.proof import Outcome, prove
from dbkit.autogenerate.two_pictures import PICTURES, TwoPictures
from dbkit.config import EnvironmentOptions
from dbkit.throwaways import Copies

NOTHING = Plugin("dbkit.nothing")  # for Alembic, which wants one at least
# What the upgrade lacks, what shows only then (options of an identity column), and the downgrade.
ROUNDS = 4
COMPARE = ("compare_type", "compare_server_default")


def with_pictures(
    keywords: Mapping[str, Any], pictures: TwoPictures | None, options: EnvironmentOptions
) -> dict[str, Any]:
    """Return the keywords of `configure` with which Alembic compares by two pictures.

    If they are equal, there is nothing to compare, but by plug-ins and functions of the service's.
    """
    if pictures is None:
        return dict(keywords)
    include_name = _without_partitions(pictures)
    with_them = {**keywords, PICTURES: pictures, "include_name": include_name}
    if any(len(key) > 2 and include_name(key[1], "schema", {}) for key in pictures.scope.replaced):
        with_them["include_schemas"] = True
    if any(callable(options.configure.get(name)) for name in COMPARE):
        return with_them
    theirs = options.configure.get("autogenerate_plugins", ())
    if not pictures.differences():
        with_them["autogenerate_plugins"] = [*theirs] or [NOTHING.name]
    elif not theirs and not pictures.has_hook and None not in pictures.changed_tables:
        with_them |= _changed_alone(with_them, pictures)
    return with_them


def _without_partitions(pictures: TwoPictures) -> Callable[..., bool]:
    """Return a filter: Alembic takes a partition for a table that no model has any more."""
    include: Callable[..., bool] = pictures.scope.filters["include_name"]
    partitions = pictures.scope.partitions

    def include_name(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "table" and partitions:
            key = pictures.scope.key("table", parents.get("schema_name"), str(name))
            if key in partitions:
                return False
        return bool(include(name, kind, parents))

    return include_name


def _changed_alone(keywords: Mapping[str, Any], pictures: TwoPictures) -> dict[str, Any]:
    """Return filters that let Alembic look at the tables that differ: others would take longer."""
    changed = pictures.changed_tables
    name_filter, object_filter = keywords["include_name"], keywords["include_object"]

    def include_name(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "table":
            key = pictures.scope.key("table", parents.get("schema_name"), str(name))
            if key not in changed:
                return False
        return bool(name_filter(name, kind, parents))

    def include_object(item: Any, name: Any, kind: str, *others: Any) -> bool:
        if kind == "table" and pictures.scope.key("table", item.schema, item.name) not in changed:
            return False
        return bool(object_filter(item, name, kind, *others))

    return {"include_name": include_name, "include_object": include_object}


async def write_proved(
    copies: Copies,
    pictures: TwoPictures,
    environment: EnvironmentContext,
    command: RevisionContext,
    options: EnvironmentOptions,
) -> None:
    """Prove the files that `command` is about to write.

    Args:
        copies: of what the revisions have built.

    Raises:
        CommandError: they are written, but not right; what is wrong is printed, and in the files.
    """
    arguments = (pictures, environment, command, options)
    outcome = await _prove(copies, *arguments)
    for _ in range(ROUNDS):
        if add_mends(command.generated_revisions, outcome):
            outcome = await _prove(copies, *arguments)
    lines = outcome.lines()
    if not lines:
        return
    changes = [each for one in command.generated_revisions for each in one.upgrade_ops_list]
    for line in lines:
        environment.config.print_stdout("%s", line)
    if all(change.is_empty() for change in changes):
        command.generated_revisions.clear()
        raise CommandError(
            "no file is written: the models need what autogenerate cannot write, see above;"
            " 'make migration-empty' makes a file for it"
        )
    variables: dict[str, Any] = command.template_args
    notes: dict[str, list[str]] = variables.setdefault("notes", {})
    last = command.generated_revisions[-1].rev_id
    notes.setdefault(str(last), []).extend(lines)
    names = [Path(script.path).name for script in command.generate_scripts() if script]
    raise CommandError(
        f"{' and '.join(names)}: written, but not right as it is: see above, or the comments in it;"
        " correct it, and 'make migrate-test' proves it"
    )


async def _prove(copies: Copies, *arguments: Any) -> Outcome:
    async with copies.make() as copy:
        return await prove(copy, *arguments)
