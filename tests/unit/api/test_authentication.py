"""A deleted API key is refused within seconds, also by a function that has it in its memory."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from api.authentication import authenticate, forget_all
from feedlane.errors import Unauthorized
from feedlane.settings import api_keys
from feedlane.store.store import Store
from tests.fakes.table import MemoryTable
from tests.unit.api.conftest import Call
from tests.worlds.base import NOW


def test_a_deleted_key_is_refused_within_five_seconds() -> None:
    forget_all()
    store = Store(MemoryTable())
    api_keys.create(store, NOW, lambda: "key-1", "Stays")
    record, key = api_keys.create(store, NOW, lambda: "key-2", "Goes")
    header = "Basic " + base64.b64encode(key.encode()).decode()
    authenticate(store, header, NOW)
    api_keys.delete(store, record.id)
    with pytest.raises(Unauthorized):
        authenticate(store, header, NOW + timedelta(seconds=5))


def test_a_key_that_the_api_has_made_works_until_the_api_deletes_it(call: Call) -> None:
    made = call("POST", "/apiKeys", {"name": "Nightly job"})
    assert made.status == 201
    headers = {"Authorization": "Basic " + base64.b64encode(made.body["apiKey"].encode()).decode()}
    assert call("GET", "/companies", headers=headers).status == 200
    assert call("DELETE", f"/apiKeys/{made.body['id']}").status == 204
    assert call("GET", "/companies", headers=headers).status == 401
