"""Xero limits our app there; Codat, our account with it. What one uses up is not missing for the other."""

from __future__ import annotations

import pytest

from feedlane.companies.connection import CODAT_ACCESS
from feedlane.errors import LimitReached
from feedlane.feeds.feed import Feed
from feedlane.scope import APP_SUBJECT, CODAT_SUBJECT
from feedlane.statements import call_limits
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.statements.gate import Gate
from feedlane.statements.limits import Lane, Limits
from tests import builders
from tests.rights import acting_as
from tests.worlds.base import BaseWorld

DIRECT = builders.feed().but(tenant_id="tenant-1")
THROUGH_CODAT = DIRECT.but(id="k/other", tenant_id="company-at-codat", token_set_id=CODAT_ACCESS)


@pytest.mark.parametrize(("busy", "other"), [(THROUGH_CODAT, DIRECT), (DIRECT, THROUGH_CODAT)])
def test_feeds_of_one_upstream_leave_the_statements_of_the_other_alone(busy: Feed, other: Feed) -> None:
    world = BaseWorld()
    gate = Gate(world.ports, app=Limits(per_minute=2))
    with acting_as("push_statements"):
        waits = [gate.enter(busy, Lane.POSTS, f"call-{number}") for number in range(3)]
        assert [wait is None for wait in waits] == [True, True, False]
        assert gate.enter(other, Lane.POSTS, "call-other") is None


@pytest.mark.parametrize(("busy", "other"), [(CODAT_SUBJECT, APP_SUBJECT), (APP_SUBJECT, CODAT_SUBJECT)])
def test_so_it_is_for_what_people_wait_for(busy: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_limits, "OTHER_CALLS_PER_MINUTE_MAX", 2)
    world = BaseWorld()
    limits = {app: SharedCallLimits(world.ports, app) for app in (busy, other)}
    with acting_as("public_api"):
        for _ in range(2):
            with limits[busy].call(None):
                pass
        with pytest.raises(LimitReached), limits[busy].call(None):
            pass
        with limits[other].call(None):
            pass
