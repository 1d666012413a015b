"""The gateway answers 403 without a reason: the cause is determined, so that each cause has its own problem."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from feedlane.feeds.upstream import NoAnswer, Refusal, TryLater
from feedlane.scope import Scope
from tests.unit.xero.xero_server import ACCESS, Server, TokenVault, always, bank_feeds

FORBIDDEN = {"Type": None, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}


def _xero(connections: httpx.Response) -> Server:
    """Refuses every call for the tenant; `/connections` returns `connections`."""

    def answer(request: httpx.Request) -> httpx.Response:
        return connections if request.url.path == "/connections" else httpx.Response(403, json=FORBIDDEN)

    return answer


def _connected_to(*tenants: str) -> httpx.Response:
    return httpx.Response(
        200, json=[{"id": tenant, "tenantId": tenant, "tenantType": "ORGANISATION"} for tenant in tenants]
    )


def _refusal(server: Server, **vault: Any) -> Refusal:
    answer = bank_feeds(server, TokenVault(**vault)).post_statement(ACCESS, b"{}", "key")
    assert isinstance(answer, Refusal)
    assert answer.scope is Scope.CONNECTION
    return answer


def test_an_organisation_that_is_listed_no_longer_was_disconnected_in_xero() -> None:
    assert _refusal(_xero(_connected_to("another"))).problem.type == "connection-removed"


def test_a_token_without_bank_feeds_is_the_missing_scope_whatever_is_connected() -> None:
    refusal = _refusal(_xero(_connected_to(ACCESS.tenant_id)), scopes=("openid", "offline_access"))
    assert refusal.problem.type == "missing-scope"


@pytest.mark.parametrize("scopes", [(), ("bankfeeds",)])
def test_what_cannot_be_found_out_stays_as_xero_said_it(scopes: tuple[str, ...]) -> None:
    refusal = _refusal(_xero(_connected_to(ACCESS.tenant_id)), scopes=scopes)
    assert (refusal.problem.type, refusal.problem.detail) == ("about:blank", "AuthenticationUnsuccessful")


@pytest.mark.parametrize("response", [httpx.Response(503), httpx.Response(200)])
def test_while_the_list_cannot_be_had_nobody_is_refused(response: httpx.Response) -> None:
    answer = bank_feeds(_xero(response), TokenVault()).post_statement(ACCESS, b"{}", "key")
    assert isinstance(answer, TryLater)


def test_a_list_that_is_refused_too_leaves_what_xero_said() -> None:
    assert _refusal(_xero(httpx.Response(403, json=FORBIDDEN))).problem.type == "about:blank"


def test_a_list_that_answers_401_says_nothing_of_the_connection() -> None:
    unauthorised = httpx.Response(401, json={"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"})
    answer = bank_feeds(_xero(unauthorised), TokenVault()).post_statement(ACCESS, b"{}", "key")
    assert isinstance(answer, TryLater)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
@pytest.mark.parametrize("body", [b"<h1>Access Denied</h1>", b"", b"[]", b'{"message": "Forbidden"}'])
def test_a_firewalls_page_is_an_outage_and_nobodys_access(status: int, body: bytes) -> None:
    """A statement that it answers is in doubt: the page may stand in for the answer alone."""
    vault = TokenVault()
    feeds = bank_feeds(always(status, body), vault)
    assert isinstance(feeds.post_statement(ACCESS, b"{}", "key"), NoAnswer)
    answer = feeds.statement_status(ACCESS, "s-1")
    assert isinstance(answer, TryLater)
    assert (answer.reason, answer.is_outage) == ("outage", True)
    assert vault.asked == [None]


@pytest.mark.parametrize("type", ["invalid-application", "invalid-organisation-bank-feeds", "invalid-user-role"])
def test_a_problem_that_has_a_name_keeps_it(type: str) -> None:
    problem = {"type": type, "title": "Refused", "status": 403, "detail": "…"}
    answer = bank_feeds(always(403, problem)).post_statement(ACCESS, b"{}", "key")
    assert isinstance(answer, Refusal)
    assert answer.problem.type == type
