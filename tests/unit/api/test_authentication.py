"""A deleted API key is refused within seconds, and wrong ones are slowed, by the memory of one function instance."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from api.authentication import authenticate, forget_all
from feedlane.errors import TooManyAttempts, Unauthorized
from feedlane.settings import api_keys
from feedlane.settings.wrong_keys import WRONG_KEYS_MAX
from feedlane.store.store import Store
from tests.contract.sdk.api_server import AUTHORIZATION, http_event
from tests.fakes.table import MemoryTable
from tests.unit.api.conftest import Call
from tests.worlds.api import CONTEXT, World
from tests.worlds.base import NOW

HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"


@pytest.fixture(autouse=True)
def _new_instance() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def _header(key: str) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


def _try_wrong_keys(store: Store, times: int, address: str = HERE) -> None:
    for number in range(times):
        with pytest.raises(Unauthorized):
            authenticate(store, _header(f"fl_wrong-{number}"), address, NOW)


def test_a_deleted_key_is_refused_within_five_seconds() -> None:
    store = Store(MemoryTable())
    api_keys.create(store, NOW, lambda: "key-1", "Stays")
    record, key = api_keys.create(store, NOW, lambda: "key-2", "Goes")
    authenticate(store, _header(key), HERE, NOW)
    api_keys.delete(store, record.id)
    with pytest.raises(Unauthorized):
        authenticate(store, _header(key), HERE, NOW + timedelta(seconds=5))


def test_after_many_wrong_keys_an_address_waits_with_the_next_wrong_one() -> None:
    store = Store(MemoryTable())
    _try_wrong_keys(store, WRONG_KEYS_MAX)
    with pytest.raises(TooManyAttempts):
        authenticate(store, _header("fl_another"), HERE, NOW)
    for address, now in ((ELSEWHERE, NOW), (HERE, NOW + timedelta(minutes=1))):
        with pytest.raises(Unauthorized):
            authenticate(store, _header("fl_another"), address, now)


@pytest.mark.parametrize("is_cold", [True, False])
def test_a_right_key_is_not_slowed_by_wrong_ones_from_its_address(is_cold: bool) -> None:
    store = Store(MemoryTable())
    _, key = api_keys.create(store, NOW, lambda: "key-1", "Right")
    if not is_cold:
        authenticate(store, _header(key), HERE, NOW)
    _try_wrong_keys(store, WRONG_KEYS_MAX)
    for seconds in (0, 4, 6, 30):
        authenticate(store, _header(key), HERE, NOW + timedelta(seconds=seconds))


def test_a_call_without_a_key_is_no_attempt() -> None:
    store = Store(MemoryTable())
    for _ in range(WRONG_KEYS_MAX * 2):
        with pytest.raises(Unauthorized):
            authenticate(store, None, HERE, NOW)


def test_the_api_says_when_to_try_again(call: Call, world: World) -> None:
    from functions.public_api import app

    def answer(authorization: str, address: str) -> dict[str, Any]:
        event = http_event("GET", "/companies", "", {"Authorization": authorization}, b"")
        event["requestContext"]["http"]["sourceIp"] = address
        answered: dict[str, Any] = app.handler(event, CONTEXT)
        return answered

    statuses = [answer(_header(f"fl_{number}"), HERE)["statusCode"] for number in range(WRONG_KEYS_MAX + 1)]
    assert statuses == [401] * WRONG_KEYS_MAX + [429]
    refused = answer(_header("fl_x"), HERE)
    assert 0 < int(refused["headers"]["Retry-After"]) <= 60
    assert '"canBeRetried":"True"' in refused["body"].replace(" ", "")
    assert answer(AUTHORIZATION, ELSEWHERE)["statusCode"] == 200


def test_a_key_that_the_api_has_made_works_until_the_api_deletes_it(call: Call) -> None:
    made = call("POST", "/apiKeys", {"name": "Nightly job"})
    assert made.status == 201
    headers = {"Authorization": "Basic " + base64.b64encode(made.body["apiKey"].encode()).decode()}
    assert call("GET", "/companies", headers=headers).status == 200
    assert call("DELETE", f"/apiKeys/{made.body['id']}").status == 204
    assert call("GET", "/companies", headers=headers).status == 401
