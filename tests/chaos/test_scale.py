"""The run of `make scale`, smaller: everything arrives once, in order, within the limits, whoever is killed."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from feedlane.feeds import items as feed_items
from feedlane.pushes.queue_door import Push
from feedlane.statements.gate import Gate
from tests.chaos.scale import Size, run
from tests.chaos.xero import Xero

SMALL = Size(feeds=15, tenants=3, transactions=3000)
# Without a limit of ours: all of them at one tenant, whose sixty calls a minute they pass at once.
CROWDED = Size(feeds=15, tenants=1, transactions=1500)
# What nobody recognises is recorded again and again: enough of it to be found, and not more.
TINY = Size(feeds=5, tenants=1, transactions=500)


@pytest.fixture
def xero() -> Iterator[Xero]:
    with Xero.in_process() as xero:
        yield xero


def test_everything_arrives_once_and_in_order_although_functions_are_killed(xero: Xero) -> None:
    found = run(1, xero, SMALL)
    assert found.violations == []
    assert found.figures["lines_delivered"] == SMALL.transactions
    assert found.figures["functions_killed"] > 0.04 * found.figures["invocations"]


def test_calls_beyond_xeros_limits_are_found(xero: Xero) -> None:
    with patch.object(Gate, "enter", lambda *_: None):
        found = run(1, xero, CROWDED, killed=0.0)
    assert any(one.startswith("limits: Xero refused") for one in found.violations)
    assert any("tenant_calls_in_a_minute_most" in one for one in found.violations)


def test_transactions_that_arrive_twice_are_found(xero: Xero) -> None:
    """A message comes again after a crash, and neither its operation nor its ids are recognised."""
    forgotten = patch.multiple(feed_items, known_ids=lambda *_: {}, add_ids=lambda *_: [])
    with forgotten, patch.object(Push, "is_done", False):
        found = run(1, xero, TINY, killed=0.3)
    assert any(one.startswith(("order: ", "once: ")) for one in found.violations)
