"""Something before Xero answers in its place: HTML or nothing, at any status and any endpoint."""

from typing import Any

import httpx
import pytest

from tests.contract.simulator.driver import BAKERY, FEED_CONNECTIONS, STATEMENTS, Xero, new_statement

ENDPOINTS = [
    ("GET", "/identity/connect/authorize"),
    ("POST", "/connect/token"),
    ("POST", "/connect/revocation"),
    ("GET", "/connect/userinfo"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/openid-configuration/jwks"),
    ("GET", "/connections"),
    ("DELETE", "/connections/1"),
    ("GET", "/api.xro/2.0/Organisation"),
    ("GET", "/api.xro/2.0/Organisation/Actions"),
    ("GET", "/api.xro/2.0/Accounts"),
    ("GET", FEED_CONNECTIONS),
    ("POST", FEED_CONNECTIONS),
    ("GET", f"{FEED_CONNECTIONS}/1"),
    ("POST", f"{FEED_CONNECTIONS}/DeleteRequests"),
    ("GET", STATEMENTS),
    ("POST", STATEMENTS),
    ("GET", f"{STATEMENTS}/1"),
]


def page(xero: Xero, method: str, path: str, **fault: Any) -> None:
    match = {"method": method, "path": path}
    xero.control("POST", "faults", {"match": match, "fault": "page", **fault}, expect=201)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("content", ["html", "empty"])
def test_a_page_stands_before_every_endpoint_and_asks_for_no_token(
    xero: Xero, method: str, path: str, content: str
) -> None:
    page(xero, method, path, status=418, content=content)
    answer = xero.http.request(method, path)
    assert answer.status_code == 418
    assert answer.text.startswith("<!DOCTYPE html>") if content == "html" else answer.content == b""
    assert xero.http.request(method, path).status_code != 418


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 403, 404, 405, 409, 422, 429, 500, 503])
def test_a_page_has_any_status_and_none_of_xeros_headers(xero: Xero, status: int) -> None:
    xero.connect(BAKERY)
    page(xero, "GET", STATEMENTS, status=status, content="empty" if status == 204 else "html")
    answer = xero.call("GET", STATEMENTS)
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith(("x-", "xero-", "www-"))]
    assert xero.control("GET", "calls")["calls"][-1]["status"] == status


def test_a_page_before_the_work_keeps_the_call_from_xero_and_its_limits(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()

    def remaining() -> int:
        return int(xero.call("GET", FEED_CONNECTIONS).headers["x-minlimit-remaining"])

    before = remaining()
    page(xero, "POST", STATEMENTS, status=400)
    assert xero.post_statements(new_statement(feed)).text.startswith("<!DOCTYPE")
    assert (xero.received(), remaining()) == ([], before - 1)


def test_a_page_after_the_work_hides_its_answer(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    page(xero, "POST", STATEMENTS, status=504, when="after", headers={"X-Cache": "edge"})
    answer = xero.post_statements(new_statement(feed))
    assert (answer.status_code, answer.headers["x-cache"]) == (504, "edge")
    assert len(xero.received()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "status"), ({"status": 99}, "status"), ({"status": 403, "content": "xml"}, "content")],
)
def test_a_page_needs_a_status_and_a_known_content(xero: Xero, body: dict[str, Any], field: str) -> None:
    answer: httpx.Response = xero.http.post("/_simulator/faults", json={"fault": "page", **body})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
