"""The API key in a function's memory, and the question whether Codat accepts one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from feedlane.codat_upstream.api_keys import KEPT_FOR, KeyCache, is_accepted
from feedlane.credentials.vault import CodatKey
from feedlane.ids import fingerprint
from tests.builders import NOW


class Vault:
    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.asked: list[str | None] = []

    def codat_key(self, rejected: str | None = None) -> CodatKey:
        self.asked.append(rejected)
        return CodatKey(value=next((key for key in self.keys if fingerprint(key) != rejected), self.keys[0]))


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def cache(vault: Any, clock: Clock | None = None) -> KeyCache:
    return KeyCache(vault, clock or Clock())


def test_the_vault_is_asked_once_in_a_while() -> None:
    vault, clock = Vault("one"), Clock()
    keys = cache(vault, clock)
    assert [keys.key(None) for _ in range(3)] == ["one"] * 3
    assert vault.asked == [None]
    vault.keys = ("two",)
    clock.now += KEPT_FOR - timedelta(seconds=1)
    assert keys.key(None) == "one"
    clock.now += timedelta(seconds=1)
    assert keys.key(None) == "two"


def test_a_rejected_key_is_replaced_by_the_other_and_only_its_fingerprint_is_told() -> None:
    vault = Vault("new", "former")
    keys = cache(vault)
    assert keys.key(None) == "new"
    assert keys.key("new") == "former"
    assert vault.asked == [None, fingerprint("new")]
    assert keys.key(None) == "former"
    assert keys.key("new") == "former", "another call has replaced it already"


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (httpx.Response(200, json={"results": []}), True),
        (httpx.Response(401, json={"statusCode": 401, "error": "Unauthorized"}), False),
        (httpx.Response(402, json={"statusCode": 402, "error": "Payment required"}), True),
        (httpx.Response(403, json={"statusCode": 403, "error": "Forbidden"}), False),
        (httpx.Response(429, json={"statusCode": 429, "error": "Too many requests"}), None),
        (httpx.Response(500, json={"statusCode": 500, "error": "Oops"}), None),
        (httpx.Response(401, text="<html>proxy</html>"), None),
        (httpx.Response(403, text="<html>blocked</html>"), None),
    ],
)
def test_codat_is_asked_for_one_company(answer: httpx.Response, accepted: bool | None) -> None:
    asked: list[httpx.Request] = []

    def codat(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    assert is_accepted("https://codat.test", "a-key", httpx.MockTransport(codat)) is accepted
    assert [(request.method, str(request.url)) for request in asked] == [
        ("GET", "https://codat.test/companies?page=1&pageSize=1")
    ]


def test_an_outage_says_nothing_about_the_key() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("away")

    assert is_accepted("https://codat.test", "a-key", httpx.MockTransport(away)) is None
