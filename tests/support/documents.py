"""The documents of the template and of a project, and what they show."""

import re
from pathlib import Path

from support.baking import CHECKOUT

PROJECT = CHECKOUT / "{{cookiecutter.project_slug}}"
DOCUMENTS = {
    "README.md": CHECKOUT / "README.md",
    "the project's README.md": PROJECT / "README.md",
    "the guide": PROJECT / "alembic" / "README.md",
    "what guards": PROJECT / "alembic" / "guards.md",
    "tables in use": PROJECT / "alembic" / "online.md",
    "how it works inside": PROJECT / "alembic" / "inside.md",
}


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```$", document.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


def commands(document: Path) -> list[str]:
    """Each line to type, without the remark behind it."""
    lines = "".join(blocks(document, "bash")).splitlines()
    return [re.sub(r"\s+# .*", "", line) for line in lines if line.strip()]
