"""What stands before every endpoint: keys, rate limits, idempotency, the envelope, and ordered faults."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import httpx
import pytest

from tests.contract.codat_simulator.driver import CHECKING, Driver, authorization, lines, path_of

KEY = "0d4c2f3e-6f0b-4a57-9a5e-1f2d3c4b5a69"


def create(codat: Driver, name: str = "Bakery", key: str = KEY, **headers: str) -> httpx.Response:
    return codat.call("POST", "/companies", {"name": name}, Idempotency_Key=key, **headers)


def count(codat: Driver) -> int:
    return int(codat.call("GET", "/companies").json()["totalResults"])


# keys


@pytest.mark.parametrize("value", ["", "Bearer x", "Basic !!", authorization("other"), authorization("k:")])
def test_a_wrong_key_is_a_401(codat: Driver, value: str) -> None:
    refused = codat.http.get("/companies", headers={"Authorization": value})
    assert (refused.status_code, refused.json()["error"]) == (401, "Unauthorized")


def test_keys_are_withdrawn_and_rotated(codat: Driver) -> None:
    codat.control("PUT", "keys", {"keys": ["new-key"]})
    assert codat.call("GET", "/companies").status_code == 401
    assert codat.http.get("/companies", headers={"Authorization": authorization("new-key")}).status_code == 200


# envelope


def test_every_refusal_has_codats_envelope(codat: Driver) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("DELETE", "/companies", 405),
        ("GET", f"/companies/{uuid.uuid4()}", 404),
        ("GET", "/companies?page=0", 400),
        ("GET", "/companies?pageSize=5001", 400),
        ("GET", "/companies?query=name", 400),
        ("GET", "/companies?tags=uid%3E1", 400),
    ):
        body = codat.call(method, path).json()
        assert body["statusCode"] == status, path
        assert len(body["correlationId"]) == 32
        assert isinstance(body["canBeRetried"], str)


def test_a_connection_is_found_only_under_its_company(codat: Driver) -> None:
    ids, other = codat.company(), codat.company("Other")
    assert codat.call("GET", path_of({**ids, "company_id": other["company_id"]})).status_code == 404


@pytest.mark.parametrize(("accounts", "status"), [(["src-002", "src-003"], 201), (["src-001"], 207)])
def test_a_batch_says_whether_all_were_created(codat: Driver, accounts: list[str], status: int) -> None:
    ids = codat.company()
    codat.add_account(ids)
    items = [CHECKING | {"id": account} for account in accounts]
    assert codat.call("POST", f"{path_of(ids)}/connectionInfo/bankFeedAccounts/batch", items).status_code == status


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": 7}', b'{"name": null}', b'{"name": "[]"}'])
def test_a_bad_body_is_a_400(codat: Driver, content: bytes) -> None:
    headers = {"Authorization": authorization(), "Content-Type": "application/json"}
    assert codat.http.post("/companies", content=content, headers=headers).status_code == 400


def test_a_body_must_say_that_it_is_json(codat: Driver) -> None:
    refused = codat.http.post("/companies", content=b'{"name": "A"}', headers={"Authorization": authorization()})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "tags", [{f"k{number}": "v" for number in range(11)}, {"k" * 28: "v"}, {"k": "v" * 101}, {"k": 1}, "x"]
)
def test_tags_have_bounds(codat: Driver, tags: Any) -> None:
    assert codat.call("POST", "/companies", {"name": "A", "tags": tags}).status_code == 400


def test_pages_have_links(codat: Driver) -> None:
    for number in range(3):
        codat.call("POST", "/companies", {"name": f"Company {number}"})
    page = codat.call("GET", "/companies?page=2&pageSize=1&query=name~company").json()
    assert page["_links"]["self"] == {"href": "/companies"}
    assert page["_links"]["next"]["href"] == "/companies?page=3&pageSize=1&query=name~company"
    assert page["_links"]["previous"]["href"].startswith("/companies?page=1&")
    last = codat.call("GET", "/companies?page=3&pageSize=1").json()
    assert "next" not in last["_links"]


# rate limits


def test_a_minute_and_a_day_have_limits_that_companies_raise(codat: Driver) -> None:
    ids = codat.company()
    codat.link(ids)
    codat.control("PUT", "limits", {"day": 10})
    answer = codat.call("GET", "/companies")
    assert answer.headers["x-rate-limit-limit"] == "20"
    assert int(answer.headers["x-rate-limit-remaining"]) == 17
    assert answer.headers["x-rate-limit-reset"] == "2026-06-16T00:00:00Z"
    codat.control("PUT", "limits", {"minute": 3, "day": 1000})
    refused = codat.call("GET", "/companies")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    codat.advance(60)
    assert codat.call("GET", "/companies").status_code == 200


def test_the_daily_limit_ends_at_midnight_and_has_events(codat: Driver) -> None:
    events = ["client.rateLimit.reached", "client.rateLimit.reset"]
    codat.call("POST", "/webhooks", {"url": "http://127.0.0.1:9/none", "eventTypes": events})
    codat.control("PUT", "limits", {"day": 2})
    codat.call("GET", "/companies")
    for _ in range(2):
        refused = codat.call("GET", "/companies")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, str(12 * 3600))
    codat.advance(12 * 3600)
    assert codat.call("GET", "/companies").status_code == 200
    assert [message["eventType"] for message in codat.control("GET", "messages")["messages"]] == events


# idempotency


def test_a_repeated_call_gets_the_first_answer_for_90_minutes(codat: Driver) -> None:
    first = create(codat)
    assert create(codat).json() == first.json()
    codat.advance(90 * 60 - 1)
    assert create(codat).json() == first.json()
    codat.advance(1)
    assert create(codat).json()["id"] != first.json()["id"]
    assert count(codat) == 2


def test_another_body_under_the_same_key_is_a_422(codat: Driver) -> None:
    create(codat)
    assert create(codat, name="Other").status_code == 422
    assert count(codat) == 1


def test_a_key_must_be_a_guid_unless_it_need_not(codat: Driver) -> None:
    assert create(codat, key="mine").status_code == 400
    codat.switch("malformedKey", "accepted")
    assert create(codat, key="mine").status_code == 200


def test_refusals_and_server_errors_are_kept_and_a_429_is_not(codat: Driver) -> None:
    codat.fault("POST", "/companies", "status", status=503)
    assert [create(codat).status_code for _ in range(2)] == [503, 503]
    other = str(uuid.uuid4())
    codat.fault("POST", "/companies", "rateLimit", seconds=7)
    refused = create(codat, key=other)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert create(codat, key=other).status_code == 200


def test_a_call_in_progress_holds_its_key_with_a_409(codat: Driver) -> None:
    codat.fault("POST", "/companies", "delay", seconds=1.5, when="after")
    answers: list[httpx.Response] = []
    slow = threading.Thread(target=lambda: answers.append(create(codat)))
    slow.start()
    while count(codat) == 0:
        pass
    assert create(codat).status_code == 409
    slow.join()
    assert create(codat).json() == answers[0].json()


# faults


def test_an_answer_is_lost_before_or_after_the_call_was_taken(codat: Driver) -> None:
    ids = codat.ready()
    for when, taken in (("before", 0), ("after", 1)):
        codat.fault("POST", "/bankTransactions", "dropResponse", when=when)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            codat.push(ids, lines(1), Idempotency_Key=KEY)
        assert len(codat.control("GET", "operations")["operations"]) == taken
    assert codat.push(ids, lines(1), Idempotency_Key=KEY).status_code == 200
    assert len(codat.control("GET", "operations")["operations"]) == 1


@pytest.mark.parametrize(("when", "taken"), [("before", 0), ("after", 1)])
def test_a_page_stands_in_the_place_of_an_answer(codat: Driver, when: str, taken: int) -> None:
    codat.fault("POST", "/companies", "page", status=502, when=when)
    answer = create(codat)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert count(codat) == taken
    assert create(codat).status_code == 200
    assert count(codat) == 1


def test_a_call_times_out_and_is_taken_all_the_same(codat: Driver) -> None:
    codat.fault("POST", "/companies", "delay", seconds=0.4)
    with pytest.raises(httpx.ReadTimeout):
        codat.http.post(
            "/companies", json={"name": "A"}, headers={"Authorization": authorization()}, timeout=httpx.Timeout(0.1)
        )
    while count(codat) == 0:
        pass


def test_a_bare_problem_of_xero_can_be_ordered(codat: Driver) -> None:
    ids = codat.ready()
    codat.fault("POST", "/bankTransactions", "problem", problem="invalid-organisation-bank-feeds", status=403)
    refused = codat.push(ids, lines(1))
    assert (refused.status_code, refused.json()["type"]) == (403, "invalid-organisation-bank-feeds")


def test_calls_are_recorded(codat: Driver) -> None:
    ids = codat.company()
    codat.call("GET", path_of(ids))
    calls = codat.control("GET", "calls")["calls"]
    assert (calls[-1]["method"], calls[-1]["path"], calls[-1]["status"]) == ("GET", path_of(ids), 200)


def test_queries_reach_into_lists_and_past_what_is_empty(codat: Driver) -> None:
    ids = codat.company()
    codat.call("POST", f"/companies/{ids['company_id']}/connections", {"platformKey": "gbol"})
    codat.link(ids)

    def found(query: str) -> int:
        return int(
            codat.http.get("/companies", params={"query": query}, headers=codat_headers()).json()["totalResults"]
        )

    assert found("dataConnections.status=linked && dataConnections.status=PendingAuth") == 1
    assert found("description=demo") == 0
    assert found("created>2026-01-01 && {name=nobody || tags.uid=cust_7}") == 1
    assert codat.call("GET", "/companies?query=colour%3Dred").status_code == 400


def codat_headers() -> dict[str, str]:
    return {"Authorization": authorization()}
