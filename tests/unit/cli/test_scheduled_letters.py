"""A run of the watch that failed, or was never started, is put back as what it was: not as the daily round."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.aws.put_back import rerun
from feedlane.wiring.dead_letters import KINDS
from tests.unit.cli.test_put_back import Aws, letter

WATCH = {"watch": True}


@pytest.mark.parametrize("body", [WATCH, {"requestPayload": WATCH, "responsePayload": {"errorMessage": "out of time"}}])
def test_the_watch_is_started_again_as_the_watch(body: dict[str, Any]) -> None:
    aws = Aws()
    rerun("tend_connections")(aws, letter(body))
    assert aws.calls == [("feedlane-tend_connections", "Event", WATCH)]
    assert KINDS["schedule"].describe(letter(body)) == "watch"


def test_the_round_is_told_from_it() -> None:
    assert KINDS["schedule"].describe(letter({"requestPayload": {}})) == "daily round"
