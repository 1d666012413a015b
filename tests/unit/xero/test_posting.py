"""What each kind of answer means for a posted statement."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Unavailable
from feedlane.feeds.upstream import Accepted, AlreadyReceived, Failed, NoAnswer, Refusal, StatementStatus, TryLater
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests.unit.xero.xero_server import ACCESS, Server, TokenVault, always, bank_feeds, fails

DUPLICATE = {"type": "duplicate-statement", "title": "Duplicate Statement Received", "status": 409, "detail": "…"}
BALANCE = {"type": "invalid-end-balance", "title": "Invalid End Balance", "status": 422, "detail": "…"}
INTERNAL = {"type": "internal-error", "title": "Intermittent Internal Xero Error", "status": 500, "detail": "…"}
GONE = {"type": "invalid-feed-connection", "title": "Invalid Feed Connection", "status": 403, "detail": "…"}


def post(server: Server, vault: Any = None) -> Any:
    return bank_feeds(server, vault).post_statement(ACCESS, b"{}", "key")


def status(server: Server) -> Any:
    return bank_feeds(server).statement_status(ACCESS, "s-1")


def items(**item: Any) -> dict[str, Any]:
    return {"items": [item]}


def test_the_bytes_go_as_they_are_with_tenant_token_and_key() -> None:
    requests: list[httpx.Request] = []

    def accept(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(202, json=items(id="s-1", status="PENDING"))

    assert bank_feeds(accept).post_statement(ACCESS, b'{"exactly": 1.10}', "key-9") == Accepted(
        statement_id="s-1", status=StatementStatus.PENDING
    )
    [request] = requests
    assert (request.method, request.url.path) == ("POST", "/bankfeeds.xro/1.0/Statements")
    assert request.content == b'{"exactly": 1.10}'
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["xero-tenant-id"] == "tenant-1"
    assert request.headers["idempotency-key"] == "key-9"
    assert request.headers["content-type"] == "application/json"


def test_the_http_library_logs_nothing_even_where_everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    post(always(202, items(id="s-1", status="PENDING")))
    assert caplog.records == []


@pytest.mark.parametrize("code", [200, 202])
def test_accepted_with_an_envelope_or_bare_at_either_status(code: int) -> None:
    expected = Accepted(statement_id="s-1", status=StatementStatus.PENDING)
    assert post(always(code, items(id="s-1", status="PENDING"))) == expected
    assert post(always(code, {"id": "s-1", "status": "PENDING"})) == expected


def test_a_status_that_nobody_knows_is_one_that_is_not_the_end() -> None:
    answer = status(always(200, {"id": "s-1", "status": "UNDER_REVIEW"}))
    assert answer == Accepted(statement_id="s-1", status=StatementStatus.PENDING)


def test_a_rejection_that_came_later_brings_its_reasons() -> None:
    answer = status(always(200, {"id": "s-1", "status": "REJECTED", "errors": [BALANCE]}))
    assert answer == Accepted(statement_id="s-1", status=StatementStatus.REJECTED, problems=(Problem(**BALANCE),))


@pytest.mark.parametrize("code", [202, 400, 409])
def test_a_duplicate_is_already_there_in_an_item_and_at_the_root(code: int) -> None:
    assert post(always(code, items(id="s-0", status="REJECTED", errors=[DUPLICATE]))) == AlreadyReceived(
        statement_id="s-0"
    )
    if code >= 400:
        assert post(always(code, DUPLICATE)) == AlreadyReceived()


@pytest.mark.parametrize("body", [BALANCE, items(status="REJECTED", errors=[BALANCE])], ids=["root", "item"])
def test_bad_data_is_refused_for_the_feed_in_either_shape(body: Any) -> None:
    answer = post(always(422, body))
    assert answer == Refusal(scope=Scope.FEED, reason="invalid-balance", problem=Problem(**BALANCE))


def test_an_item_refused_inside_a_202_is_refused() -> None:
    answer = post(always(202, items(status="REJECTED", errors=[GONE])))
    assert isinstance(answer, Refusal)
    assert answer.reason == "feed-connection-gone"


@pytest.mark.parametrize("code", [500, 502, 504])
def test_a_failure_of_xeros_is_failed_whatever_the_body(code: int) -> None:
    for body in (INTERNAL, b"<html/>", b""):
        assert isinstance(post(always(code, body)), Failed)
        assert isinstance(status(always(code, body)), Failed)


def test_an_internal_error_inside_an_item_of_a_400_is_a_failure_not_a_refusal() -> None:
    assert post(always(400, items(status="REJECTED", errors=[INTERNAL]))) == Failed(problem=Problem(**INTERNAL))


@pytest.mark.parametrize("body", [b"", b"not json", b'{"items": []}', b'{"items": [{"status": "PENDING"}]}', b"[]"])
def test_a_success_that_cannot_be_read_is_no_answer(body: bytes) -> None:
    assert isinstance(post(always(202, body)), NoAnswer)
    assert isinstance(status(always(200, body)), NoAnswer)


@pytest.mark.parametrize(
    ("problem", "retry_after", "scope", "seconds", "reason"),
    [
        ("minute", "42", Scope.TENANT, 42, "rate-limit-minute"),
        ("Minute", "42", Scope.TENANT, 42, "rate-limit-minute"),
        ("day", "77000", Scope.TENANT, 77000, "rate-limit-day"),
        ("DayLimit", "5", Scope.TENANT, 5, "rate-limit-day"),
        ("appminute", "7", Scope.APP, 7, "rate-limit-app"),
        ("AppMinuteLimit", "7", Scope.APP, 7, "rate-limit-app"),
        ("concurrent", None, Scope.TENANT, 1, "rate-limit-concurrent"),
        ("minute", "0", Scope.TENANT, 1, "rate-limit-minute"),
        ("minute", "Mon, 15 Jun 2026 12:01:30 GMT", Scope.TENANT, 90, "rate-limit-minute"),
        ("minute", "soon", Scope.TENANT, 10, "rate-limit-minute"),
        (None, None, Scope.TENANT, 10, "rate-limit-minute"),
    ],
)
def test_a_rate_limit_tells_who_has_to_wait_and_for_how_long(
    problem: str | None, retry_after: str | None, scope: Scope, seconds: int, reason: str
) -> None:
    fields = {"X-Rate-Limit-Problem": problem, "Retry-After": retry_after}
    headers = {name: value for name, value in fields.items() if value is not None}
    assert post(always(429, b"", headers)) == TryLater(scope=scope, seconds=seconds, reason=reason)


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 30), ("60", 60), ("86400", 86_400)])
def test_an_outage_is_waited_for_as_long_as_it_asks(retry_after: str | None, seconds: int) -> None:
    headers = {"Retry-After": retry_after} if retry_after else {}
    assert post(always(503, b"", headers)) == TryLater(
        scope=Scope.TENANT, seconds=seconds, reason="outage", is_outage=True
    )


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_without_a_connection_nothing_was_sent(error: type[httpx.TransportError]) -> None:
    assert isinstance(post(fails(error)), TryLater)


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_with_a_connection_that_broke_the_outcome_is_unknown(error: type[httpx.TransportError]) -> None:
    answer = post(fails(error))
    assert answer == NoAnswer(reason=error.__name__)


def test_a_401_is_answered_with_another_token_once() -> None:
    authorizations: list[str] = []

    def refuse_first_token(request: httpx.Request) -> httpx.Response:
        authorizations.append(request.headers["authorization"])
        if authorizations[-1] == "Bearer token-1":
            return httpx.Response(401, json={"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"})
        return httpx.Response(202, json=items(id="s-1", status="PENDING"))

    vault = TokenVault()
    feeds = bank_feeds(refuse_first_token, vault)
    for _ in range(2):
        assert isinstance(feeds.post_statement(ACCESS, b"{}", "key"), Accepted)
    assert authorizations == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
    assert len(vault.asked) == 2


REFUSED_TOKENS: list[dict[str, Any]] = [
    {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "AuthenticationUnsuccessful"},
    {"Title": "Unauthorized", "Status": 401, "Detail": "AuthorizationUnsuccessful"},
    {"type": "unauthorised", "title": "Unauthorized", "status": 401},
]


@pytest.mark.parametrize("body", REFUSED_TOKENS)
def test_401s_hold_nothing_while_the_token_endpoint_gives_tokens(body: dict[str, Any]) -> None:
    requests: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(401, json=body)

    vault = TokenVault(scopes=("bankfeeds",))
    answer = post(refuse, vault)
    assert isinstance(answer, TryLater)
    assert answer.is_outage, "each further one comes back later than the one before"
    assert answer.seconds >= 60
    assert len(requests) == len(vault.asked) == 3, "with the token in memory, a newer one, and a refreshed one"


def test_a_401_for_a_token_that_another_instance_has_replaced_goes_on_to_the_refresh() -> None:
    """The token that the vault has is no better: only now is it refreshed."""

    def refuse_two(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] != "Bearer token-3":
            return httpx.Response(401, json=REFUSED_TOKENS[0])
        return httpx.Response(202, json=items(id="s-1", status="PENDING"))

    assert isinstance(post(refuse_two, TokenVault()), Accepted)


DEAD = Problem(type="invalid_grant", title="Authorisation ended", status=400)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ReconnectionNeeded(DEAD), Refusal(scope=Scope.CONNECTION, reason="reconnection-needed", problem=DEAD)),
        (AppKeysRejected(DEAD), Refusal(scope=Scope.APP, reason="app-keys-rejected", problem=DEAD)),
        (Unavailable("busy", 2), TryLater(scope=Scope.TENANT, seconds=2, reason="no-token-now", is_outage=True)),
    ],
)
def test_without_a_token_nothing_is_sent_and_the_answer_says_whose_fault_it_is(error: Exception, expected: Any) -> None:
    assert post(fails(httpx.ReadError), TokenVault(error)) == expected
