"""Revision files that are written to a folder of their own, and are gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from alembic.autogenerate import RevisionContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap


@contextmanager
def written(command: RevisionContext) -> Iterator[ScriptDirectory]:
    """Write the files to a folder that is gone afterwards, as revisions after all others."""
    real = command.script_directory
    with TemporaryDirectory() as folder:
        scratch = ScriptDirectory.from_config(command.config)
        scratch.version_locations, scratch.hooks = [folder], []
        scratch.messaging_opts = {"quiet": True}
        # Not the same objects: a revision knows those that come after it.
        known = [Script(one.module, one.revision, one.path) for one in real.walk_revisions()]
        scratch.revision_map = RevisionMap(lambda: known)
        command.script_directory = scratch
        try:
            list(command.generate_scripts())
            yield scratch
        finally:
            command.script_directory = real


@contextmanager
def using(environment: EnvironmentContext, script: ScriptDirectory) -> Iterator[None]:
    """Let `environment` run other files; afterwards, the command can write its own as before."""
    real, options = environment.script, environment.context_opts
    environment.script = script
    environment.context_opts = dict(options)  # `configure` changes it, and writing needs it
    try:
        yield
    finally:
        environment.script, environment.context_opts = real, options
