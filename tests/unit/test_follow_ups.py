"""Follow-up messages on the queue: the new version reads former messages, and the former version reads new ones."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from feedlane.follow_ups import (
    FeedConnectionCheck,
    FollowUp,
    HoldCheck,
    OneOffAccessCheck,
    PushOperationCheck,
    RecoveryCheck,
    ReleaseCheck,
    RemovedAccountCheck,
    StatementCheck,
    UpstreamChangeCheck,
    Wake,
    WakeAll,
    parse_follow_up,
)

FEED = "8f14e45f-ceea-467f-a8d4-d2f2d5a7c001/src-001"
AT = "2026-05-20T09:00:00.000Z"


class Former(BaseModel):
    """All kinds in one, as formerly sent: each message had all of these fields."""

    kind: str
    feed_id: str = ""
    number: int = 0
    turn: int = 0
    operation_key: str = ""
    company_id: str = ""
    connection_id: str = ""
    scope: str = ""
    subject: str = ""
    at: str = ""
    after: str = ""


# The fields that each kind was sent with, beside the empty ones, and what it is read as.
TABLE: list[tuple[dict[str, Any], FollowUp]] = [
    ({"kind": "statement", "feed_id": FEED, "number": 7}, StatementCheck(feed_id=FEED, number=7)),
    ({"kind": "statement", "feed_id": FEED, "number": 7, "turn": 3}, StatementCheck(feed_id=FEED, number=7, turn=3)),
    ({"kind": "feedConnection", "feed_id": FEED}, FeedConnectionCheck(feed_id=FEED)),
    ({"kind": "feedConnection", "feed_id": FEED, "turn": 12}, FeedConnectionCheck(feed_id=FEED, turn=12)),
    (
        {"kind": "operation", "feed_id": FEED, "operation_key": "key", "company_id": "company"},
        PushOperationCheck(feed_id=FEED, operation_key="key", company_id="company"),
    ),
    ({"kind": "wake", "feed_id": FEED}, Wake(feed_id=FEED)),
    ({"kind": "wake", "feed_id": FEED, "at": AT}, Wake(feed_id=FEED, at=AT)),
    ({"kind": "wakeAll"}, WakeAll()),
    ({"kind": "wakeAll", "after": "connection"}, WakeAll(after="connection")),
    ({"kind": "hold", "feed_id": FEED}, HoldCheck(feed_id=FEED)),
    ({"kind": "hold", "feed_id": FEED, "after": "connection"}, HoldCheck(feed_id=FEED, after="connection")),
    ({"kind": "release", "scope": "app", "subject": "app"}, ReleaseCheck(scope="app", subject="app")),
    (
        {"kind": "release", "scope": "tenant", "subject": "t-1", "after": "connection"},
        ReleaseCheck(scope="tenant", subject="t-1", after="connection"),
    ),
    ({"kind": "removed", "feed_id": FEED}, RemovedAccountCheck(feed_id=FEED)),
    (
        {"kind": "oneOffAccess", "company_id": "company", "connection_id": "connection"},
        OneOffAccessCheck(company_id="company", connection_id="connection"),
    ),
    (
        {"kind": "connectionBack", "company_id": "company", "connection_id": "connection"},
        RecoveryCheck(company_id="company", connection_id="connection"),
    ),
    (
        {"kind": "upstreamChange", "company_id": "company", "connection_id": "connection"},
        UpstreamChangeCheck(company_id="company", connection_id="connection"),
    ),
]


@pytest.mark.parametrize(("sent", "read"), TABLE)
def test_what_was_sent_before_is_read_with_its_empty_fields_and_without_them(
    sent: dict[str, Any], read: FollowUp
) -> None:
    assert parse_follow_up(Former(**sent).model_dump_json()) == read
    assert parse_follow_up(json.dumps(sent)) == read
    assert parse_follow_up(json.dumps(sent | {"added_later": None})) == read


@pytest.mark.parametrize(("sent", "read"), TABLE)
def test_what_is_sent_now_says_the_same_to_a_reader_from_before(sent: dict[str, Any], read: FollowUp) -> None:
    assert Former.model_validate_json(read.model_dump_json()) == Former(**sent)
    assert parse_follow_up(read.model_dump_json()) == read


def test_each_kind_is_in_the_table() -> None:
    assert {type(read) for _, read in TABLE} == set(get_args(FollowUp))


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "[]",
        "{}",
        '{"kind": null}',
        '{"kind": "nonsense", "feed_id": "f"}',
        '{"kind": "statement", "feed_id": null, "number": 1}',
        '{"kind": "statement", "feed_id": "f"}',
        '{"kind": "operation", "feed_id": "f", "operation_key": "key"}',
    ],
)
def test_what_names_nothing_to_look_at_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        parse_follow_up(body)
