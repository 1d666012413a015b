"""One message that hangs costs the others of its batch nothing."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from feedlane.aws import batch
from tests.unit.aws.test_retries import ignore, records

HANGS_AFTER, HANG = 0.05, 0.6


@pytest.mark.parametrize("groups", ["", "abcdefgh"])
def test_what_is_behind_a_message_that_hangs_is_done_while_it_hangs(groups: str) -> None:
    done: list[str] = []

    def handle(record: Any) -> None:
        id = record[0].id if groups else record.id
        if id in ("m0", "m3"):
            time.sleep(HANG)
        done.append(id)

    run: Any = batch.by_group if groups else batch.one_by_one
    answer = run(records(*[1] * 8, groups=groups), handle, ignore, Logger(), lambda: 60_000, HANGS_AFTER)
    assert sorted(done[-2:]) == ["m0", "m3"]
    assert answer == {"batchItemFailures": []}


def test_messages_that_do_not_hang_are_handled_one_after_the_other() -> None:
    together, most = 0, 0
    lock = threading.Lock()

    def handle(_: Any) -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        time.sleep(0.01)
        with lock:
            together -= 1

    batch.one_by_one(records(*[1] * 10), handle, ignore, Logger(), lambda: 60_000, 5.0)
    assert most == 1


def test_a_message_that_fails_beside_one_that_hangs_is_the_only_one_that_comes_back() -> None:
    def handle(record: Any) -> None:
        if record.id == "m0":
            time.sleep(HANG / 3)
        if record.id == "m1":
            raise ValueError

    answer = batch.one_by_one(records(1, 1, 1), handle, ignore, Logger(), lambda: 60_000, HANGS_AFTER)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
