"""The table of all rows, and its form in the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.alias_generators import to_camel

from local.simulator.behaviour import positions
from tests.contract.xero.switches import feed_connections, gateway, identity, statements
from tests.contract.xero.switches.row import Row

SUBJECTS = {
    "Statements": statements.ROWS,
    "Feed connections": feed_connections.ROWS,
    "Identity and connections": identity.ROWS,
    "Gateway and accounting": gateway.ROWS,
}
ROWS = [row for rows in SUBJECTS.values() for row in rows]


def markdown() -> str:
    """One table for each subject. Positions with one sentence share a line."""
    return "\n\n".join(f"## {subject}\n\n{_table(rows)}" for subject, rows in SUBJECTS.items()) + "\n"


def _table(rows: list[Row]) -> str:
    lines = ["| switch | position | what Feedlane does |", "| --- | --- | --- |"]
    return "\n".join((*lines, *_lines(rows)))


def _lines(rows: list[Row]) -> Iterator[str]:
    grouped: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        grouped.setdefault((row.switch, row.says), []).append(row.position)
    for (switch, says), at in grouped.items():
        shown = ", ".join(_shown(switch, position) for position in at)
        yield f"| `{to_camel(switch)}` | {shown} | {says} |"


def _shown(switch: str, position: Any) -> str:
    """The default is in bold."""
    text = f"{position:g}" if isinstance(position, float) else str(position)
    text = text.lower() if isinstance(position, bool) else text
    return f"**{text}**" if position == positions(switch)[0] else text
