"""Jinja filters that carry whatever was typed into a project's files unharmed.

They work on the answers themselves, in the file that shows them, so that an old replay file, which has the
answers but none of the values a newer template derives, still bakes.
"""

import re
import unicodedata

from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension
from slugify import slugify

VERSION = "0.1.0"  # of the template, as in pyproject.toml; every project's `dbkit/VERSION` names it
SLUG = re.compile(r"[a-z][a-z0-9_]{0,47}")
LINE_BREAK = re.compile("\r\n|[\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
# Stricter than the standards on purpose: every installer accepts what this accepts, and an address that one
# of them cannot read stops the installation.
ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def service_slug(name: object) -> str:
    """Derive a valid slug from any name, one of emoji alone included."""
    slug = slugify(str(name), separator="_")
    if not slug:
        return "service"
    if slug[0].isdigit():
        slug = f"service_{slug}"
    return slug[:48].rstrip("_")


def slug_refusal(slug: object) -> str:
    """Say in one line why a slug is refused; nothing for a good one."""
    if SLUG.fullmatch(str(slug)):
        return ""
    return (
        f"project_slug {str(slug)[:60]!a} is refused: it must match ^[a-z][a-z0-9_]{{0,47}}$ "
        "(a lower-case letter, then lower-case letters, digits or underscores, 48 characters at most)"
    )


def checked_slug(slug: object) -> str:
    """Stop at a bad answer before cookiecutter makes a folder of it.

    The hook would be too late for some: `a/b` leaves `a` behind, 300 letters are a traceback, and what
    cookiecutter adds to a failing hook buries its line.
    """
    if refusal := slug_refusal(slug):
        raise FailedHookException(refusal)
    return str(slug)


def one_line(text: object) -> str:
    """Put text on one line, for headings and for comments in YAML and .env files."""
    return "".join(c for c in LINE_BREAK.sub(" ", _encodable(text)) if unicodedata.category(c) != "Cc")


def toml(text: object) -> str:
    """Escape text for the inside of a TOML string in double quotes (right for one of JSON or Python, too).

    Jinja's own tojson is no help: it writes an emoji as two surrogates, which TOML refuses.
    """
    return "".join(map(_escaped, _encodable(text)))


def author(name: object, email: object) -> str:
    """Fill `name = "…"` in a project's authors, with an `email` key after it where installers can read one.

    pip refuses the whole project for an address such as `none`, `root@localhost` or an empty one, whatever
    the build backend, and Poetry for an author without a name. Such an address is kept beside the name.
    """
    name, email = one_line(name).strip(), one_line(email).strip()
    if ADDRESS.fullmatch(email):
        return f'{toml(name)}", email = "{email}'
    return toml(" ".join(filter(None, (name, f"({email})" if email else ""))) or "Anonymous")


def _escaped(character: str) -> str:
    if character in '\\"':
        return f"\\{character}"
    return f"\\u{ord(character):04X}" if unicodedata.category(character) == "Cc" else character


def _encodable(text: object) -> str:
    """Replace what no file in UTF-8 can hold: half a surrogate pair, say from a mistyped byte."""
    return str(text).encode("utf-8", "replace").decode()


class TextFilters(Extension):
    """The filters above, under their own names, and the template's version.

    Replay files name this class: keep its name.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for text_filter in (service_slug, slug_refusal, checked_slug, one_line, toml, author):
            environment.filters[text_filter.__name__] = text_filter
        # Not an answer: a replay file of an older template would lack it, or name the older version.
        environment.globals["template_version"] = VERSION
