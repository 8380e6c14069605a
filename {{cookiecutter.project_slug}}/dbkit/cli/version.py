"""The command `version`: which version of the kit this is, and whether somebody edited it."""

import argparse
import hashlib
from pathlib import Path
from typing import Any

KIT = Path(__file__).resolve().parents[1]


def add_commands(commands: Any) -> None:
    """Add the command to the parser's."""
    text = "the version of dbkit, and which of its files were edited"
    command = commands.add_parser("version", help=text, description=text)
    command.set_defaults(run=show_version)


def show_version(_arguments: argparse.Namespace) -> str | None:
    """Print the version; return a line if files are not those of that version."""
    print(f"dbkit {(KIT / 'VERSION').read_text(encoding='utf-8').strip()}")
    if not (KIT / "CHECKSUMS").exists():
        return "dbkit/CHECKSUMS is missing, so nobody can tell whether files were edited"
    edited = edited_files(KIT)
    if edited:
        return f"edited since the project was made: {', '.join(edited)}"
    return None


def edited_files(kit: Path) -> list[str]:
    """Return the files that are not as `CHECKSUMS` has them: changed, missing or new.

    `devserver/` may be missing as a whole, as it is from the image.
    """
    lines = (kit / "CHECKSUMS").read_text(encoding="utf-8").splitlines()
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {
        path.relative_to(kit).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in kit.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "CHECKSUMS"
    }
    if not (kit / "devserver").exists():
        expected = {name: expected[name] for name in expected if not name.startswith("devserver/")}
    return sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )
