"""The real way of ending a connection at Xero, with Xero's answers made up."""

from __future__ import annotations

import httpx
import pytest

from feedlane import wiring
from feedlane.errors import ReconnectionNeeded
from feedlane.ids import fingerprint
from feedlane.token_set import AccessToken
from feedlane.xero.http import Http
from tests import builders
from tests.builders import NOW
from tests.contract.sdk import api_server  # noqa: F401  (the function's folder is on the path)

CONNECTION = builders.linked()
REJECTED = {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"}


class Vault:
    """Gives a new token for one that was rejected."""

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        return AccessToken(value="old" if rejected != fingerprint("old") else "new", expires_at=NOW)


@pytest.mark.parametrize(("works", "tokens"), [("old", ["old"]), ("new", ["old", "new"])])
def test_a_token_that_xero_does_not_take_is_given_back_for_another(
    monkeypatch: pytest.MonkeyPatch, works: str, tokens: list[str]
) -> None:
    seen = ended(monkeypatch, works)
    assert seen == [("DELETE", "/connections/xero-tenant-1", f"Bearer {token}") for token in tokens]


def test_two_rejected_tokens_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReconnectionNeeded):
        ended(monkeypatch, "none")


def ended(monkeypatch: pytest.MonkeyPatch, works: str) -> list[tuple[str, str, str]]:
    """What Xero saw while the connection was ended; it takes only the token that `works`."""
    from api.parts import Parts

    seen: list[tuple[str, str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        authorization = request.headers["Authorization"]
        seen.append((request.method, request.url.path, authorization))
        return httpx.Response(204) if authorization.endswith(works) else httpx.Response(401, json=REJECTED)

    http = Http("https://xero.example.com", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(wiring, "xero", lambda: http)
    monkeypatch.setattr(wiring, "vault", Vault)
    Parts().disconnect(CONNECTION)
    return seen
