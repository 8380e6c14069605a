"""Renders the page. Every value is escaped, and the page itself forbids scripts and requests."""

from pathlib import Path
from typing import Any

from mako.template import Template  # type: ignore[import-untyped,unused-ignore]
from sqlalchemy import Row

from dbkit.report import runs
from dbkit.report.content import APPLIED, PENDING, UNKNOWN, Content
from dbkit.report.failures import find_failures
from dbkit.report.lanes import place, width

TEMPLATE = Path(__file__).parent / "page.html.mako"
SHOWN = 200  # runs, failures and drifted objects at most; `make migration-log` has all runs
DONE = {"upgrade": "ran", "stamp": "stamped", "adopt": "adopted"}
OPEN = 30  # revisions that are to be seen at once, beside those that are pending


def render(content: Content) -> str:
    """Return the page as HTML, which shows neither a password nor a row's value."""
    found = runs.group(content.rows)
    failures = find_failures(content.rows)
    rows = place((one.name, one.parents) for one in content.revisions)
    last_pending = max(
        (number for number, one in enumerate(content.revisions) if one.state == PENDING), default=0
    )
    shown_runs = found[:SHOWN]
    template = Template(  # noqa: S702 - `h` escapes each value
        filename=str(TEMPLATE),
        default_filters=["str", "h"],
        strict_undefined=True,
        input_encoding="utf-8",
    )
    text: str = template.render(
        content=content,
        revisions=list(zip(content.revisions, rows, strict=True)),
        lanes=width(rows),
        opened=max(OPEN, min(last_pending + 1, SHOWN)),
        states={state: content.count(state) for state in (APPLIED, PENDING, UNKNOWN)},
        runs=shown_runs,
        more_runs=len(found) - len(shown_runs),
        marks=runs.marks(shown_runs) if shown_runs else [],
        share=lambda seconds: f"{runs.share(seconds, shown_runs):.1f}%",
        failures=failures[:SHOWN],
        more_failures=len(failures[SHOWN:]),
        drift=(content.report.drift or [])[:SHOWN],
        more_drift=len((content.report.drift or [])[SHOWN:]),
        messages={one.name: one.message for one in content.revisions},
        done=DONE,
        date=_date,
        took=_took,
        measures=_measures,
    )
    return text


def _date(row: Row[Any]) -> str:
    return f"{runs.in_utc(row):%Y-%m-%d %H:%M}"


def _measures(run: runs.Run) -> list[str]:
    """Return what took how long; what did not happen is left out."""
    found = [f"{_took(run.duration)} of work"] if run.duration else []
    found += [f"{_took(run.lock_wait)} waiting for locks"] if run.lock_wait else []
    if run.retries:
        found.append("1 retry" if run.retries == 1 else f"{run.retries} retries")
    return found + ([f"locks held for {_took(run.locks_held)}"] if run.locks_held else [])


def _took(seconds: float) -> str:
    """Return a duration for people: `20 ms`, `3.2 s`, `4 min 10 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
