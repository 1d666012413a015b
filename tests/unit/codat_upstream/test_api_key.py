"""The API key: how it goes, how it is replaced, and where it never shows."""

from __future__ import annotations

import base64
import traceback

import httpx
import pytest

from feedlane.feeds.upstream import Accepted, Refusal
from tests.unit.codat_upstream.codat_server import ACCESS, KEY, REQUEST, always, bank_feeds, envelope, fails, operation


def _basic(key: str) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


def test_a_refused_key_is_replaced_once_by_a_newer_one() -> None:
    seen: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        if seen[-1] == _basic("old"):
            return httpx.Response(401, json=envelope(401, "Unauthorized"))
        return httpx.Response(200, json=operation())

    assert isinstance(bank_feeds(server, keys=("old", "new")).post_statement(ACCESS, REQUEST, "k"), Accepted)
    assert seen == [_basic("old"), _basic("new")]


def test_without_another_key_the_refusal_stands() -> None:
    seen: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401, json=envelope(401, "Unauthorized"))

    answer = bank_feeds(refuse).post_statement(ACCESS, REQUEST, "k")
    assert isinstance(answer, Refusal)
    assert len(seen) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout])
def test_the_key_is_in_no_log_and_no_error(error: type[httpx.TransportError], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    feeds = bank_feeds(fails(error))
    with pytest.raises(Exception, match="Codat") as raised:
        feeds.feed_connections(ACCESS)
    told = "".join(traceback.format_exception(raised.value)) + repr(feeds.__dict__) + caplog.text
    bank_feeds(always(401, envelope(401, "Unauthorized"))).post_statement(ACCESS, REQUEST, "k")
    assert caplog.records == []
    assert KEY not in told
    assert _basic(KEY) not in told
