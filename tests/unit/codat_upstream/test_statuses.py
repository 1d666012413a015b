"""What each documented status means: for a push, for a poll, for the list, and for a call that a person waits for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from feedlane.errors import LimitReached, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import (
    Accepted,
    AlreadyReceived,
    Failed,
    NoAnswer,
    Refusal,
    SearchPlace,
    StatementStatus,
    TryLater,
)
from feedlane.scope import Scope
from tests.unit.codat_upstream.codat_server import (
    ACCESS,
    ACCOUNT,
    CORRELATION,
    NOON,
    PLACE,
    REQUEST,
    Limits,
    Server,
    always,
    bank_feeds,
    envelope,
    fails,
    operation,
    routed,
)

PUSH = ("POST", "/bankTransactions")
CONNECTION_STATE = ("GET", "/c0nnection")
MAPPING = ("GET", "/mapping")
HTML = b"<html><body>Bad gateway</body></html>"
LINE_ERROR = {"itemId": "t-1", "message": "Invalid amount", "validatorName": "Amount"}
XEROS = {
    "type": "invalid-organisation-bank-feeds", "title": "Invalid Organisation", "status": 403,
    "detail": "The organisation does not support automated bank feeds.",
}  # fmt: skip


def post(server: Server) -> Any:
    return bank_feeds(server).post_statement(ACCESS, REQUEST, "key")


def status(server: Server) -> Any:
    return bank_feeds(server).statement_status(ACCESS, "op-1")


def search(server: Server) -> Any:
    return bank_feeds(server).find_statement(ACCESS, REQUEST, (), SearchPlace(began=NOON))


# A push


@pytest.mark.parametrize("said", ["Pending", "Success", "Weird"])
def test_a_push_that_is_taken(said: str) -> None:
    known = {"Success": StatementStatus.DELIVERED}
    expected = Accepted(statement_id="op-1", status=known.get(said, StatementStatus.PENDING))
    assert post(always(200, operation(status=said))) == expected


@pytest.mark.parametrize(
    ("code", "error", "errors", "scope", "reason"),
    [
        (400, "Validation failed", [LINE_ERROR], Scope.FEED, "invalid-data"),
        (400, "Bad request", [], Scope.FEED, "refused"),
        (401, "Unauthorized", [], Scope.APP, "codat-key-rejected"),
        (402, "Company limit exceeded", [], Scope.APP, "codat-limit-reached"),
        (403, "Forbidden", [], Scope.TENANT, "codat-access-refused"),
        (403, "The organisation does not support automated bank feeds.", [], Scope.TENANT,
         "organisation-without-bank-feeds"),
        (404, "Not found", [], Scope.FEED, "refused"),
        (405, "Method not allowed", [], Scope.FEED, "refused"),
        (422, "The idempotency key was used with another request", [], Scope.FEED, "codat-key-reused"),
    ],
)  # fmt: skip
def test_a_push_that_is_refused(code: int, error: str, errors: list[dict[str, str]], scope: Scope, reason: str) -> None:
    mapped = [{"sourceAccountId": ACCOUNT, "status": "connected"}]
    told = {CONNECTION_STATE: {"status": "Linked"}, MAPPING: mapped, ("GET", "/companies"): {"results": []}}
    answer = post(routed({PUSH: (code, envelope(code, error, errors)), **told}))
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason) == (scope, reason)
    assert answer.problem.status == code
    assert CORRELATION in answer.problem.answer
    again = bank_feeds(always(500)).refusal_for_rejection(ACCESS, [answer.problem])
    assert (again.scope, again.reason) == (scope, reason), "the problem alone says the same"


@pytest.mark.parametrize("body", [XEROS, envelope(403, "x") | {"error": XEROS}, envelope(403, f"Xero: {XEROS}")])
def test_xeros_403_at_once_is_xeros(body: dict[str, Any]) -> None:
    answer = post(always(403, body))
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason) == (Scope.TENANT, "organisation-without-bank-feeds")
    assert answer.problem.but(answer="").model_dump() == XEROS


def test_a_framework_s_own_problem_type_does_not_hide_the_status() -> None:
    body = {"type": "https://tools.ietf.org/html/rfc7235#section-3.1", "title": "Unauthorized", "status": 401}
    assert post(always(401, body)).reason == "codat-key-rejected"


def test_a_duplicate_is_known_already() -> None:
    assert post(always(400, envelope(400, "duplicate-statement"))) == AlreadyReceived()


@pytest.mark.parametrize(
    ("code", "state"),
    [(code, state) for code in (400, 403, 404) for state in ("Unlinked", "Deauthorized", "PendingAuth", None)],
)
def test_a_refusal_without_a_reason_is_the_connection_s_if_it_is_not_linked(code: int, state: str | None) -> None:
    connection = (404, envelope(404, "Data connection not found")) if state is None else {"status": state}
    answer = post(routed({PUSH: (code, envelope(code, "No")), CONNECTION_STATE: connection}))
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason, answer.problem.type) == (
        Scope.CONNECTION,
        "reconnection-needed",
        "connection-removed",
    )
    assert "correlationId" in answer.problem.answer


@pytest.mark.parametrize("ask", [post, status, search])
@pytest.mark.parametrize(
    ("listed", "scope", "reason"),
    [
        ((403, envelope(403, "Key outdated")), Scope.APP, "codat-key-rejected"),
        ((401, envelope(401, "Unauthorized")), Scope.APP, "codat-key-rejected"),
        ({"results": []}, Scope.TENANT, "codat-access-refused"),
        ((429, envelope(429, "Later")), Scope.TENANT, "codat-access-refused"),
        ((403, {}), Scope.TENANT, "codat-access-refused"),
    ],
)
def test_a_403_is_the_key_s_if_codat_refuses_it_everywhere(ask: Any, listed: Any, scope: Scope, reason: str) -> None:
    """Codat says 403 to a key that is outdated, too: a new one then releases all that was held."""
    refused = (403, envelope(403, "Forbidden"))
    routes = {("GET", "/companies"): listed, PUSH: refused, ("GET", ""): refused}
    answer = ask(routed(routes))
    assert (answer.scope, answer.reason, answer.problem.status) == (scope, reason, 403)


@pytest.mark.parametrize("mappings", [[], [{"sourceAccountId": ACCOUNT, "status": "disconnected"}]])
def test_a_refusal_is_of_the_account_if_codat_feeds_it_no_more(mappings: list[dict[str, str]]) -> None:
    refused = (400, envelope(400, "The bank account is not connected"))
    answer = post(routed({PUSH: refused, CONNECTION_STATE: {"status": "Linked"}, MAPPING: mappings}))
    assert (answer.scope, answer.reason) == (Scope.FEED, "feed-connection-gone")


def test_a_404_whose_cause_codat_does_not_tell_holds_the_connection() -> None:
    answer = post(routed({PUSH: (404, envelope(404, "Not found")), CONNECTION_STATE: (500, {})}))
    assert (answer.scope, answer.reason) == (Scope.CONNECTION, "codat-connection-not-found")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "42"}, 42),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "Mon, 15 Jun 2026 12:01:30 GMT"}, 90),
        ({"Retry-After": "soon"}, 10),
        ({}, 10),
        ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "2026-06-15T13:00:00Z"}, 3600),
        ({"X-Rate-Limit-Remaining": "5", "X-Rate-Limit-Reset": "2026-06-15T13:00:00Z"}, 10),
    ],
)
@pytest.mark.parametrize("body", [envelope(429, "Too many requests"), HTML])
def test_a_rate_limit_is_the_whole_app_s_and_shared(headers: dict[str, str], seconds: int, body: Any) -> None:
    expected = TryLater(scope=Scope.APP, seconds=seconds, reason="rate-limit-codat")
    for ask in (status, search) if body is HTML else (post, status, search):
        assert ask(always(429, body, headers)) == expected
    limits = Limits()
    bank_feeds(always(429, body, headers), limits=limits).statement_status(ACCESS, "op-1")
    assert (limits.calls, limits.waits) == (1, [("c0mpany", Scope.APP, seconds)])


@pytest.mark.parametrize("body", [HTML, b""])
def test_a_429_in_front_of_codat_leaves_the_push_in_doubt_and_its_wait_is_kept(body: Any) -> None:
    """The push may have gone through before the page came: only Codat's own words say that it did not."""
    limits = Limits()
    feeds = bank_feeds(always(429, body, {"Retry-After": "42"}), limits=limits)
    assert isinstance(feeds.post_statement(ACCESS, REQUEST, "key-1"), NoAnswer)
    assert limits.waits == [("c0mpany", Scope.APP, 42)]


@pytest.mark.parametrize("type", ["duplicate-statement", "account-not-valid"])
def test_a_409_of_xero_s_is_xero_s(type: str) -> None:
    answer = post(always(409, envelope(409, f"Failed(409): {type}")))
    assert isinstance(answer, AlreadyReceived if type == "duplicate-statement" else Refusal)


CONFLICT = (409, envelope(409, "A request with this idempotency key is in progress."))


@pytest.mark.parametrize("mapped", [{"sourceAccountId": ACCOUNT, "status": "connected"}, "unreadable"])
def test_a_409_keeps_the_push_in_doubt(mapped: Any) -> None:
    answer = post(routed({PUSH: CONFLICT, CONNECTION_STATE: {"status": "Linked"}, MAPPING: [mapped]}))
    assert isinstance(answer, NoAnswer)
    assert isinstance(post(always(*CONFLICT)), NoAnswer), "the state is not told either"


def test_a_409_of_what_has_ended_holds_and_keeps_the_push_in_doubt() -> None:
    mapped = [{"sourceAccountId": ACCOUNT, "status": "disconnected"}]
    answer = post(routed({PUSH: CONFLICT, CONNECTION_STATE: {"status": "Linked"}, MAPPING: mapped}))
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason, answer.in_doubt) == (Scope.FEED, "feed-connection-gone", True)
    answer = post(routed({PUSH: CONFLICT, CONNECTION_STATE: {"status": "Unlinked"}, MAPPING: mapped}))
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason, answer.in_doubt) == (Scope.CONNECTION, "reconnection-needed", True)


def test_findings_about_an_ended_connection_are_the_connection_s() -> None:
    """The finding itself is not believed to speak of the access: Codat's state of the connection is."""
    found = {**envelope(400, "See validation"), "validation": {"errors": [{"message": '{"status": 401}'}]}}
    answer = post(routed({PUSH: (400, found), CONNECTION_STATE: {"status": "Deauthorized"}}))
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason) == (Scope.CONNECTION, "reconnection-needed")
    mapped = [{"sourceAccountId": ACCOUNT, "status": "connected"}]
    answer = post(routed({PUSH: (400, found), CONNECTION_STATE: {"status": "Linked"}, MAPPING: mapped}))
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason) == (Scope.FEED, "invalid-data")


def test_who_waits_is_told_of_a_connection_that_has_ended_also_by_a_409() -> None:
    with pytest.raises(ReconnectionNeeded):
        bank_feeds(routed({MAPPING: CONFLICT, CONNECTION_STATE: {"status": "Unlinked"}})).feed_connections(ACCESS)
    ended = {("PATCH", ACCOUNT): CONFLICT, MAPPING: CONFLICT, CONNECTION_STATE: {"status": "Unlinked"}}
    with pytest.raises(ReconnectionNeeded):
        bank_feeds(routed(ended)).delete_feed_connection(ACCESS, PLACE)


@pytest.mark.parametrize("body", [envelope(500, "Oops"), HTML, b""])
@pytest.mark.parametrize("code", [500, 502, 504])
def test_a_failure_leaves_the_push_in_doubt_and_its_key_spent(code: int, body: Any) -> None:
    answer = post(always(code, body))
    assert isinstance(answer, Failed)
    assert answer.problem.status == code


def test_maintenance_has_taken_nothing_and_spends_the_key() -> None:
    server = always(503, envelope(503, "Offline"), {"Retry-After": "60"})
    expected = TryLater(scope=Scope.TENANT, seconds=60, reason="outage", is_outage=True, key_is_spent=True)
    assert post(server) == expected
    assert status(server) == expected.but(key_is_spent=False), "a poll has no key"
    assert isinstance(post(always(503, HTML)), Failed), "a page in front of Codat says nothing about the push"


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 405, 408, 409, 422])
@pytest.mark.parametrize("body", [HTML, b"", b'{"message":"Forbidden"}', b'["no envelope"]', b"null"])
def test_a_page_instead_of_codats_json_refuses_nothing(code: int, body: bytes) -> None:
    assert isinstance(post(always(code, body)), NoAnswer), "nobody knows whether the push arrived"
    for ask in (status, search):
        answer = ask(always(code, body))
        assert isinstance(answer, NoAnswer) if code == 408 else answer.is_outage


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", HTML, b'{"pushOperationKey": "op-1', b"\xff"])
def test_a_success_that_cannot_be_read_is_no_answer(body: bytes) -> None:
    for ask in (post, status, search):
        assert isinstance(ask(always(200, body)), NoAnswer)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_without_a_connection_nothing_was_sent(error: type[httpx.TransportError]) -> None:
    for ask in (post, status, search):
        answer = ask(fails(error))
        assert (answer.reason, answer.is_outage, answer.key_is_spent) == ("unreachable", True, False)


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError])
def test_with_a_connection_that_broke_the_outcome_is_unknown(error: type[httpx.TransportError]) -> None:
    for ask in (post, status, search):
        assert ask(fails(error)) == NoAnswer(reason=error.__name__)


def test_a_redirect_is_not_followed() -> None:
    assert isinstance(post(always(302, b"", {"Location": "https://elsewhere.test"})), Failed)


# A poll


@pytest.mark.parametrize(
    ("code", "scope", "reason"),
    [
        (401, Scope.APP, "codat-key-rejected"),
        (402, Scope.APP, "codat-limit-reached"),
        (403, Scope.APP, "codat-key-rejected"),
        (404, Scope.FEED, "statement-not-found"),
    ],
)
def test_a_poll_that_is_refused(code: int, scope: Scope, reason: str) -> None:
    answer = status(always(code, envelope(code, "No")))
    assert (answer.scope, answer.reason) == (scope, reason)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
@pytest.mark.parametrize("body", [envelope(500, "Oops"), HTML])
def test_a_failed_poll_is_an_outage(code: int, body: Any) -> None:
    for ask in (status, search):
        answer = ask(always(code, body))
        assert (answer.is_outage, answer.scope) == (True, Scope.TENANT)


def test_another_operation_is_not_the_one_asked_for() -> None:
    assert isinstance(status(always(200, operation("op-2", "Success"))), NoAnswer)


# A person waits


@pytest.mark.parametrize(
    ("code", "body", "raised"),
    [
        (401, envelope(401, "Unauthorized"), Refused),
        (402, envelope(402, "Limit"), Refused),
        (403, envelope(403, "Forbidden"), Refused),
        (404, envelope(404, "No connection"), ReconnectionNeeded),
        (409, envelope(409, "Not ready"), Unavailable),
        (429, envelope(429, "Slow down"), Unavailable),
        (500, envelope(500, "Oops"), Unavailable),
        (503, envelope(503, "Offline"), Unavailable),
        (200, HTML, Unavailable),
        (403, HTML, Unavailable),
        (200, {"results": []}, Unavailable),
    ],
)
def test_a_call_for_accounts_raises_what_stops_it(code: int, body: Any, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        bank_feeds(always(code, body)).feed_connections(ACCESS)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (LimitReached(7), TryLater(scope=Scope.FEED, seconds=7, reason="own-limit")),
        (Unavailable("vault"), TryLater(scope=Scope.TENANT, seconds=5, reason="no-key-now", is_outage=True)),
    ],
)
def test_what_keeps_a_call_from_going_is_waited_for(error: Exception, expected: TryLater) -> None:
    class Refusing(Limits):
        def call(self, tenant_id: str | None) -> Any:
            raise error

    assert bank_feeds(always(500), limits=Refusing()).post_statement(ACCESS, REQUEST, "key") == expected
