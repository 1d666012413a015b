"""A small run of `make scale`: everything arrives once, in order, within the limits, whichever functions are killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from unittest.mock import patch

import pytest

from feedlane.feeds import items as feed_items
from feedlane.pushes.queue_door import Push
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.statements.gate import Gate
from tests.chaos.scale import Size, run
from tests.chaos.xero import Xero

SMALL = Size(feeds=15, tenants=3, transactions=3000)
# All feeds at one tenant: without Feedlane's own limit they exceed its 60 calls a minute at once.
CROWDED = Size(feeds=15, tenants=1, transactions=1500)
# Unrecognised transactions are recorded again and again: just enough to be detected.
TINY = Size(feeds=5, tenants=1, transactions=500)


@pytest.fixture
def xero() -> Iterator[Xero]:
    with Xero.in_process() as xero:
        yield xero


def test_everything_arrives_once_and_in_order_although_functions_are_killed(xero: Xero) -> None:
    result = run(1, xero, SMALL)
    assert result.violations == []
    assert result.figures["lines_delivered"] == SMALL.transactions
    assert result.figures["functions_killed"] > 0.04 * result.figures["invocations"]


def test_calls_beyond_xeros_limits_are_found(xero: Xero) -> None:
    everyone_may_call = patch.object(SharedCallLimits, "call", lambda *_: nullcontext())
    with everyone_may_call, patch.object(Gate, "enter", lambda *_: None):
        result = run(1, xero, CROWDED, killed=0.0)
    assert any(text.startswith("limits: Xero refused") for text in result.violations)
    assert any("tenant_calls_in_a_minute_most" in text for text in result.violations)


def test_transactions_that_arrive_twice_are_found(xero: Xero) -> None:
    """A message comes again after a crash, and neither its operation nor its ids are recognised."""
    forgotten = patch.multiple(feed_items, recorded_ids=lambda *_: {}, add_ids=lambda *_: [])
    with forgotten, patch.object(Push, "is_done", False):
        result = run(1, xero, TINY, killed=0.3)
    assert any(text.startswith(("order: ", "once: ")) for text in result.violations)
