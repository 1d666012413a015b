"""The real `Parts` end a connection at Xero, whose answers are simulated."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from feedlane.credentials.token_set import AccessToken
from feedlane.errors import Unavailable
from feedlane.feeds.call_limits import NO_LIMITS
from feedlane.http import Http
from feedlane.ids import fingerprint
from feedlane.settings import items as settings_items
from feedlane.store.store import Store
from feedlane.wiring import functions as wiring
from tests import builders
from tests.builders import NOW
from tests.contract.sdk import api_server  # noqa: F401  (the function's folder is on the path)
from tests.fakes.table import MemoryTable

CONNECTION = builders.linked()
REJECTED = {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"}


class Vault:
    """Answers a new token for a rejected one."""

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        return AccessToken(value="old" if rejected != fingerprint("old") else "new", expires_at=NOW)


@pytest.mark.parametrize(("accepted", "tokens"), [("old", ["old"]), ("new", ["old", "new"])])
def test_a_token_that_xero_does_not_take_is_given_back_for_another(
    monkeypatch: pytest.MonkeyPatch, accepted: str, tokens: list[str]
) -> None:
    assert _disconnect(monkeypatch, accepted) == [
        ("DELETE", "/connections/xero-tenant-1", f"Bearer {token}") for token in tokens
    ]


def test_a_connection_has_not_ended_because_xero_answers_401(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable):
        _disconnect(monkeypatch, "none")


def test_the_version_of_feed_connections_is_the_settings_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(MemoryTable())
    monkeypatch.setattr(wiring, "ports", lambda: SimpleNamespace(store=store))
    assert wiring.feed_connections_version() == 1
    store.commit(settings_items.put_settings(settings_items.settings(store).but(feed_connections=2)))
    assert wiring.feed_connections_version() == 2


def _disconnect(monkeypatch: pytest.MonkeyPatch, accepted: str) -> list[tuple[str, str, str]]:
    """The requests that Xero gets while the connection is ended. Xero accepts only the `accepted` token."""
    from api.parts import Parts

    requests: list[tuple[str, str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        authorization = request.headers["Authorization"]
        requests.append((request.method, request.url.path, authorization))
        return httpx.Response(204) if authorization.endswith(accepted) else httpx.Response(401, json=REJECTED)

    http = Http("https://xero.example.com", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(wiring, "xero_http", lambda: http)
    monkeypatch.setattr(wiring, "vault", Vault)
    monkeypatch.setattr(wiring, "call_limits", lambda: NO_LIMITS)
    monkeypatch.setattr(wiring, "xero_connections", wiring.xero_connections.__wrapped__)
    Parts().disconnect(CONNECTION)
    return requests
