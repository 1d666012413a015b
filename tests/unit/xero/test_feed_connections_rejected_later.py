"""A feed connection that is read by its id: rejected, or only refused to the caller."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.errors import Refused
from tests.unit.xero.test_feed_connections import ACCESS, active, always, bank_feeds

ERROR = {"type": "feed-connected-in-different-organisation", "title": "Elsewhere", "status": 409, "detail": "Taken."}


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (200, {"items": [{"id": "f-1", "accountToken": "t", "status": "REJECTED", "error": ERROR}]}),
        (200, {"id": "f-1", "accountToken": "t", "status": "REJECTED", "error": ERROR}),
        (200, {"items": [{"status": "REJECTED", "error": ERROR}]}),
        (400, {"items": [{"id": "f-1", "status": "REJECTED", "error": ERROR}]}),
    ],
)
def test_one_that_was_rejected_is_found_with_the_problem(code: int, body: dict[str, Any]) -> None:
    connection = bank_feeds(always(code, body)).feed_connection(ACCESS, "f-1")
    assert connection is not None
    assert (connection.id, connection.active) == ("f-1", False)
    assert connection.rejection is not None
    assert (connection.rejection.type, connection.rejection.detail) == (ERROR["type"], "Taken.")


def test_one_rejected_without_a_word_is_rejected() -> None:
    connection = bank_feeds(always(200, {"items": [active(1) | {"status": "REJECTED"}]})).feed_connection(ACCESS, "f-1")
    assert connection is not None
    assert connection.rejection is not None


@pytest.mark.parametrize(
    "type", ["invalid-organisation-bank-feeds", "suspended-or-terminated-application", "unheard-of"]
)
def test_whoever_may_not_ask_knows_nothing_of_the_feed_connection(type: str) -> None:
    with pytest.raises(Refused):
        bank_feeds(always(403, {"type": type, "title": "No", "status": 403})).feed_connection(ACCESS, "f-1")


def test_one_that_xero_works_on_is_not_rejected() -> None:
    connection = bank_feeds(always(200, {"items": [active(1) | {"status": "PENDING"}]})).feed_connection(ACCESS, "f-1")
    assert connection is not None
    assert (connection.active, connection.rejection) == (False, None)
