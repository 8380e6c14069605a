"""Lines for Bash, in a project whose environment is activated, and the revision files that they make."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.commands import venv
from support.projects import Project
from support.servers import bindir

Typed = Callable[..., subprocess.CompletedProcess[str]]
MODEL = "app/models/product.py"
ADA = f"INSERT INTO users (id, email, name) VALUES ('{'0' * 31}1', 'ada@example.com', 'Ada')"


def activated(folder: Path) -> Typed:
    """Return `typed(project, line)`, which runs a line; `folder` is for programs that go before others."""
    folder.mkdir()
    # The environment is the template's own, which `make install` in a project would empty.
    make = folder / "make"
    make.write_text(f'#!/bin/sh\nexec {shutil.which("make")} --old-file=.venv/.installed "$@"\n')
    make.chmod(0o755)
    programs = [folder, venv() / "bin", *filter(None, [bindir()])]
    path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])

    def run(project: Project, line: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return project.run("bash", "-c", line, variables=variables | {"PATH": path})

    return run


def identifier(revision: Path) -> str:
    """The identifier that a revision file names as its own."""
    found = re.search(r'^revision: str = "(\w+)"', revision.read_text("utf-8"), re.MULTILINE)
    assert found
    return found[1]


def parents(revision: Path) -> set[str]:
    """The identifiers that a revision file names as those before it."""
    found = re.search(r"^down_revision: .* = (.+)", revision.read_text("utf-8"), re.MULTILINE)
    assert found
    return set(re.findall(r'"(\w+)"', found[1]))


def newest(project: Project, slug: str) -> Path:
    """The one revision file that is named after a message."""
    [revision] = project.revisions(slug)
    return revision
