"""What stands in front of every API, in order: bearer, tenant, scope, rate limits, idempotency."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.simulator.driver import (
    BAKERY,
    FEED_CONNECTIONS,
    JOINERY,
    STATEMENTS,
    Xero,
    new_feed,
    new_line,
    new_statement,
)

ORGANISATION = "/api.xro/2.0/Organisation"
GATEWAY_KEYS = ["Type", "Title", "Status", "Detail", "Instance", "Extensions"]


def gateway_detail(answer: httpx.Response, status: int) -> str:
    body = answer.json()
    assert answer.status_code == status, answer.text
    assert list(body) == GATEWAY_KEYS
    assert (body["Type"], body["Status"], body["Extensions"]) == (None, status, {})
    return str(body["Detail"])


def limit_of(answer: httpx.Response) -> tuple[str, str | None]:
    assert answer.status_code == 429, answer.text
    return answer.headers["X-Rate-Limit-Problem"], answer.headers.get("Retry-After")


def test_a_missing_or_unknown_bearer_is_a_401(xero: Xero) -> None:
    unknown = xero.call("GET", STATEMENTS, token="nonsense")
    gateway_detail(unknown, 401)
    assert unknown.headers["WWW-Authenticate"] == "Bearer error=invalid_token"
    gateway_detail(xero.http.get("/connections"), 401)


def test_an_access_token_lives_thirty_minutes_and_its_401_says_when_it_expired(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.advance(1799)
    assert xero.call("GET", STATEMENTS).status_code == 200
    xero.advance(1)
    detail = gateway_detail(xero.call("GET", STATEMENTS), 401)
    assert detail == "TokenExpired: token expired at 06/15/2026 12:30:00"


@pytest.mark.parametrize("tenant", [None, JOINERY, "not-a-tenant"])
def test_a_missing_or_unconnected_tenant_is_a_403(xero: Xero, tenant: str | None) -> None:
    xero.connect(BAKERY)
    answer = xero.call("GET", STATEMENTS, tenant=tenant)
    assert gateway_detail(answer, 403) == "AuthenticationUnsuccessful"
    assert answer.json()["Title"] == "Forbidden"


def test_a_missing_scope_is_a_403(xero: Xero) -> None:
    xero.connect(BAKERY, scope="openid accounting.settings.read")
    assert gateway_detail(xero.call("GET", STATEMENTS), 403) == "AuthenticationUnsuccessful"
    assert xero.call("GET", ORGANISATION).status_code == 200
    xero.connect(BAKERY, user_id="0f0f0f0f-0000-4000-8000-000000000004", scope="bankfeeds")
    assert xero.call("GET", STATEMENTS).status_code == 200
    assert gateway_detail(xero.call("GET", ORGANISATION), 403) == "AuthenticationUnsuccessful"


def test_the_bearer_is_checked_before_the_tenant_and_the_tenant_before_the_rate_limit(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.control("PUT", "limits", {"tenantMinute": 0})
    assert limit_of(xero.call("GET", STATEMENTS)) == ("minute", "60")
    assert xero.call("GET", STATEMENTS, tenant=JOINERY).status_code == 403
    assert xero.call("GET", STATEMENTS, tenant=JOINERY, token="nonsense").status_code == 401


def test_every_answer_tells_what_remains_of_the_limits(xero: Xero) -> None:
    xero.connect(BAKERY)
    answer = xero.call("GET", STATEMENTS)
    assert answer.headers["X-MinLimit-Remaining"] == "59"
    assert answer.headers["X-DayLimit-Remaining"] == "4999"
    assert answer.headers["X-AppMinLimit-Remaining"] == "9999"


def test_a_call_without_a_tenant_sees_only_the_apps_limit(xero: Xero) -> None:
    xero.connect(BAKERY)
    headers = xero.call("GET", "/connections", tenant=None).headers
    assert headers["X-AppMinLimit-Remaining"] == "9999"
    assert "X-MinLimit-Remaining" not in headers
    assert "X-DayLimit-Remaining" not in headers


def test_sixty_calls_a_minute_per_tenant_in_a_window_that_opens_with_the_first(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    assert xero.call("GET", ORGANISATION).status_code == 200
    xero.advance(18)
    for _ in range(59):
        assert xero.call("GET", ORGANISATION).status_code == 200
    refused = xero.call("GET", ORGANISATION)
    assert limit_of(refused) == ("minute", "42")
    assert refused.headers["X-MinLimit-Remaining"] == "0"
    assert xero.call("GET", ORGANISATION, tenant=JOINERY).status_code == 200
    xero.advance(42)
    assert xero.call("GET", ORGANISATION).status_code == 200


def test_the_day_limit_can_mean_a_very_long_wait(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.control("PUT", "limits", {"tenantDay": 1})
    assert xero.call("GET", ORGANISATION).status_code == 200
    xero.advance(600)
    assert limit_of(xero.call("GET", ORGANISATION)) == ("day", "85800")


def test_the_apps_minute_counts_over_all_tenants(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    xero.control("PUT", "limits", {"appMinute": 2})
    assert xero.call("GET", ORGANISATION).status_code == 200
    assert xero.call("GET", ORGANISATION, tenant=JOINERY).status_code == 200
    assert limit_of(xero.call("GET", ORGANISATION)) == ("appminute", "60")


def test_the_statements_api_takes_180_calls_in_any_sixty_seconds_over_all_tenants(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    xero.control("PUT", "limits", {"tenantMinute": 1000})
    for count in range(180):
        tenant = BAKERY if count % 2 else JOINERY
        assert xero.call("GET", STATEMENTS, tenant=tenant).status_code == 200
        if count == 89:
            xero.advance(30)
    assert limit_of(xero.call("GET", STATEMENTS)) == ("appminute", "30")
    assert xero.call("GET", FEED_CONNECTIONS).status_code == 200
    xero.advance(30)
    assert xero.call("GET", STATEMENTS).status_code == 200


def test_a_sixth_call_at_once_is_refused_without_a_time_to_wait(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    match = {"method": "GET", "path": ORGANISATION, "tenantId": BAKERY}
    xero.control("POST", "faults", {"match": match, "fault": "delay", "seconds": 0.5, "times": 5})
    everyone_ready = threading.Barrier(6)

    def call_once(_: int) -> httpx.Response:
        with httpx.Client(base_url=xero.url, trust_env=False, verify=False) as client:
            everyone_ready.wait(timeout=10)
            headers = {"Authorization": f"Bearer {xero.token}", "Xero-Tenant-Id": BAKERY}
            return client.get(ORGANISATION, headers=headers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(call_once, range(6)))
    refused = [one for one in answers if one.status_code == 429]
    assert [limit_of(one) for one in refused] == [("concurrent", None)]
    assert xero.call("GET", ORGANISATION).status_code == 200


def test_a_known_idempotency_key_gets_the_kept_answer_for_six_minutes(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    first = xero.post_statements(new_statement(feed), key="k-1")
    xero.advance(359)
    again = xero.post_statements(new_statement(feed), key="k-1")
    assert (again.status_code, again.json()) == (202, first.json())
    assert len(xero.received()) == 1
    xero.advance(1)
    assert xero.post_statements(new_statement(feed), key="k-1").status_code == 409


def test_a_replay_counts_against_the_rate_limits(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    before = xero.post_statements(new_statement(feed), key="k-1").headers["X-MinLimit-Remaining"]
    after = xero.post_statements(new_statement(feed), key="k-1").headers["X-MinLimit-Remaining"]
    assert int(after) == int(before) - 1


def test_the_same_key_with_another_request_is_a_400(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    xero.post_statements(new_statement(feed), key="k-1")
    answer = xero.post_statements(new_statement(feed, new_line("t-2")), key="k-1")
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid-request")
    assert len(xero.received()) == 1


def test_the_same_key_for_another_organisation_is_a_400(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    xero.control("PUT", f"orgs/{JOINERY}", {"bankFeeds": True})
    feed = xero.active_feed()
    assert xero.post_statements(new_statement(feed), key="k-1").status_code == 202
    assert xero.post_statements(new_statement(feed), key="k-1", tenant=JOINERY).status_code == 400


def test_errors_are_kept_under_their_key_too(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.control("PUT", "app", {"bankFeedsEnabled": False})
    assert xero.call("POST", FEED_CONNECTIONS, body={"items": [new_feed()]}, headers={"Idempotency-Key": "k"}).json()[
        "type"
    ] == ("invalid-application")
    xero.control("PUT", "app", {"bankFeedsEnabled": True})
    kept = xero.call("POST", FEED_CONNECTIONS, body={"items": [new_feed()]}, headers={"Idempotency-Key": "k"})
    assert kept.status_code == 403
    fresh = xero.call("POST", FEED_CONNECTIONS, body={"items": [new_feed()]}, headers={"Idempotency-Key": "k-2"})
    assert fresh.status_code == 202


def test_an_idempotency_key_is_at_most_128_characters(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    assert xero.post_statements(new_statement(feed), key="k" * 129).status_code == 400
    assert xero.post_statements(new_statement(feed), key="k" * 128).status_code == 202


def test_calls_are_tolerated_as_xero_tolerates_them(xero: Xero) -> None:
    """A body on GET, unknown headers and parameters; the correlation id comes back."""
    xero.connect(BAKERY)
    answer = xero.call(
        "GET",
        STATEMENTS,
        body={},
        headers={"X-Unknown": "1", "Xero-Correlation-Id": "c-1"},
        params={"extra": "1"},
    )
    assert (answer.status_code, answer.headers["Xero-Correlation-Id"]) == (200, "c-1")


def test_an_unknown_path_is_a_404_of_the_gateway(xero: Xero) -> None:
    detail = gateway_detail(xero.http.get("/bankfeeds.xro/1.0/Nothing"), 404)
    assert detail == "The resource you're looking for cannot be found"
