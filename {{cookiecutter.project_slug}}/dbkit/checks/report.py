"""What the deployment gate has found: lines for readers, and one JSON object for programs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dbkit.schema import Difference, SchemaObject
from dbkit.schema.mending import Mend

FAILED = "failed"  # the kind of a problem that ended the check before its end


@dataclass
class Report:
    """What the gate knows so far; None is what it has not come to.

    Args:
        problems: kind and message of each. The kinds are `heads`, `edited`, `unknown`, `pending`,
            `drift`, `failing`, `models` and `failed`.
        is_complete: whether the check came to its end.
        drift: the objects in which the database differs from its revisions.
        models: the lines that autogenerate would write.
    """

    problems: list[dict[str, str]] = field(default_factory=list)
    current: list[str] | None = None
    heads: list[str] | None = None
    pending: int | None = None
    drift: list[dict[str, Any]] | None = None
    models: list[str] | None = None
    is_complete: bool = False

    def add(self, kind: str, messages: Iterable[str]) -> None:
        """Note what speaks against a deployment."""
        self.problems += [{"kind": kind, "message": message} for message in messages]

    def add_drift(self, difference: Difference, mend: Mend, since: str | None) -> None:
        """Note an object that differs, with the SQL that would mend it.

        Args:
            since: the date of the last run, if it was changed by hand since then.
        """
        one = difference.first or difference.second
        only_in = "database" if difference.first is None else "revisions"
        changed = bool(difference.first and difference.second)
        self.drift = self.drift or []
        self.drift.append(
            {
                "object": difference.key,
                "kind": one and one.kind,
                "only_in": None if changed else only_in,
                "facets": list(difference.facets),
                "expected": _definition(difference.first, difference.facets),
                "found": _definition(difference.second, difference.facets),
                "changed_since": since,
                "mend": list(mend.statements),
                "instead": mend.instead,
            }
        )

    def describe_end(self, reason: str) -> str:
        """Return the line of a check that has not come to its end: what it found, and left out."""
        left_out = []
        if self.pending is not None and self.models is None:
            what = "models were" if self.drift is not None else "drift and models were"
            left_out = [f"{what} not compared"]
        return "; ".join([*self.messages, reason, *left_out])

    @property
    def messages(self) -> list[str]:
        """A line for each problem."""
        return [problem["message"] for problem in self.problems]

    def as_json(self) -> str:
        """Return one object, with `ok`, which says whether this code may be deployed."""
        content = {"ok": self.is_complete and not self.problems, **vars(self)}
        del content["is_complete"]
        return json.dumps(content, indent=2, ensure_ascii=False)


def _definition(one: SchemaObject | None, facets: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the properties that differ; of an object that is on one side alone, all of them."""
    if one is None:
        return None
    return {name: one.definition.get(name) for name in facets or one.definition}
