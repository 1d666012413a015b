"""What reads text from outside takes time in proportion to its length: twice the text, about twice the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace

import pytest

from feedlane.codat import query
from feedlane.codat.paging import cursor_in
from feedlane.companies.company import clean_name
from feedlane.doors import path_in, place_in, require_json_texts, whole_number
from feedlane.errors import Invalid
from feedlane.ids import ACCOUNT_ID_PATTERN
from feedlane.money import amount
from feedlane.pushes import api_door, content
from feedlane.pushes.transaction import parse_transaction
from feedlane.settings import redirect_template
from feedlane.settings.api_key import key_in
from feedlane.web.link.routes import CALLBACK, LINK
from feedlane.web.portal.routes import PORTAL
from feedlane.web.request import request_in
from feedlane.web_address import _NAME, parse_address
from feedlane.webhooks import consumers, headers
from feedlane.webhooks.shapes import moment_in
from tests.contract.sdk.api_server import app

# Pieces of text that make a backtracking expression try every way to split them.
PIECES = (
    " ", "a", "=", "a ", "{", "}", "&", "a=b&&", "{a=b||", "/", "%2F", "%", "-", "0", "9.", "!", ".", "é", "\ud83d",
    "[", "/companies/a/connections/b", '{"a":', "{x}", "//", ":", "a:", "A=", "\t\n",
)  # fmt: skip
LENGTH = 1_000
# A square doubles twice for each doubling: two doublings of the text give 4 in linear time and 16 in square time.
RATIO_MAX = 9.0
# A busy machine spoils one measurement, not this many; the first that is linear is enough.
MEASUREMENTS_MAX = 12
_CONTEXT = {"http": {"method": "POST"}}


def _every_route_of_the_api(text: str) -> None:
    for route in app.app._static_routes + app.app._dynamic_routes:
        route.rule.match(text)


def _every_route_of_the_pages(text: str) -> None:
    for route in (*LINK, *CALLBACK, *PORTAL):
        route.arguments(text)


def _form(text: str) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    request_in({"requestContext": _CONTEXT, "headers": kind, "body": text, "rawQueryString": text}, "https://a")


READERS: dict[str, Callable[[str], object]] = {
    "query": lambda text: query.query_predicate(text, {"a": None}, "Thing"),
    "query with a name": lambda text: query.query_predicate(f"a{text}", {"a": None}, "Thing"),
    "tags": query.tag_predicate,
    "cursor": cursor_in,
    "place": lambda text: place_in("after", text),
    "number": lambda text: whole_number("page", text, 1, 100),
    "path": path_in,
    "company name": clean_name,
    "account id": ACCOUNT_ID_PATTERN.fullmatch,
    "amount": amount,
    "transaction": lambda text: parse_transaction(0, dict.fromkeys(("id", "date", "amount", "description"), text)),
    "push": lambda text: content.object_in(f'{{"a": {text}}}'),
    "JSON": lambda text: require_json_texts({text: [text]}),
    "idempotency key": api_door._IDEMPOTENCY_KEY.fullmatch,
    "authorization": lambda text: key_in(f"Basic {text}"),
    "redirect URL": lambda text: redirect_template.rule_broken_by(f"https://{text}", ()),
    "placeholders": lambda text: redirect_template.fill(f"https://a/{text}", {}, ()),
    "web address": lambda text: parse_address(f"https://{text}"),
    "host name": _NAME.fullmatch,
    "header value": headers._VALUE.fullmatch,
    "header name": headers._NAME.fullmatch,
    "company tag": consumers._TAG.fullmatch,
    "event type": consumers._CODAT_ONLY_EVENTS.fullmatch,
    "moment": lambda text: moment_in("since", text),
    "form": _form,
    "routes of the API": _every_route_of_the_api,
    "routes of the pages": _every_route_of_the_pages,
}


@pytest.fixture(autouse=True)
def without_length_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are the second line: here the readers themselves are measured.

    Only the search for an account's id in a path is left out: it takes the square of a length that has a limit.
    """
    monkeypatch.setattr(query, "QUERY_LENGTH_MAX", 10**9)
    monkeypatch.setattr("feedlane.doors.PATH_BYTES_MAX", 10**9)
    monkeypatch.setattr("feedlane.web_address.LENGTH_MAX", 10**9)
    monkeypatch.setattr("feedlane.doors.HEAD_BYTES_MAX", 10**9)


@pytest.mark.parametrize("name", READERS)
def test_four_times_the_text_takes_about_four_times_the_time(name: str) -> None:
    slow = {}
    for piece in PIECES:
        for end in ("", "\0"):
            ratio = _ratio(READERS[name], piece, end)
            if ratio > RATIO_MAX:
                slow[piece + end] = round(ratio, 1)
    assert slow == {}


def _ratio(read: Callable[[str], object], piece: str, end: str) -> float:
    """The least of several measurements: noise only makes a measurement larger. Too short to measure counts as 1."""
    times = SimpleNamespace(short=[], long=[])
    for _ in range(MEASUREMENTS_MAX):
        times.short.append(_seconds(read, piece, end, LENGTH))
        times.long.append(_seconds(read, piece, end, 4 * LENGTH))
        short, long = max(min(times.short), 2e-4), min(times.long)
        if long / short <= RATIO_MAX:
            break
    return long / short


def _seconds(read: Callable[[str], object], piece: str, end: str, length: int) -> float:
    text = (piece * length)[:length] + end
    start = time.process_time()
    with suppress(Invalid, ValueError):
        read(text)
    return time.process_time() - start
