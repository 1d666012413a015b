"""Feed connections and the gateway, where Xero's documentation is silent: each switch in both positions."""

import re
from typing import Any

import httpx
import pytest

from tests.contract.simulator.driver import (
    BAKERY,
    CURRENT_ACCOUNT,
    DEMO,
    FEED_CONNECTIONS,
    SCOPES,
    STATEMENTS,
    Xero,
    new_feed,
    new_line,
    new_statement,
)

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OPAQUE = re.compile(r"x[0-9a-f]{24}")


def refusal(answer: httpx.Response) -> str:
    (item,) = answer.json()["items"]
    assert (answer.status_code, item["status"]) == (400, "REJECTED")
    return str(item["error"]["type"])


def later(xero: Xero, answer: httpx.Response) -> dict[str, Any]:
    """A new feed connection once Xero has decided about it."""
    (item,) = answer.json()["items"]
    assert (answer.status_code, item["status"]) == (202, "PENDING")
    path = f"{FEED_CONNECTIONS}/{item['id']}"
    assert xero.call("GET", path).json()["status"] == "PENDING"
    xero.advance(1)
    found: dict[str, Any] = xero.call("GET", path).json()
    return found


def test_a_feed_connection_that_breaks_a_rule_is_refused_at_once(xero: Xero) -> None:
    xero.connect(BAKERY)
    assert refusal(xero.post_feed(new_feed(currency="USD"))) == "invalid-organisation-multi-currency"


def test_or_it_is_pending_first_and_rejected_later(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.switch("feedConnections", "checkedLater")
    found = later(xero, xero.post_feed(new_feed(currency="USD")))
    assert (found["status"], found["error"]["type"]) == ("REJECTED", "invalid-organisation-multi-currency")
    assert refusal(xero.post_feed(new_feed(accountToken=None))) == "invalid-request"  # malformed: still at once
    good = later(xero, xero.post_feed(new_feed()))
    assert "status" not in good
    again = later(xero, xero.post_feed(new_feed()))
    assert again["error"]["type"] == "feed-already-connected-in-current-organisation"
    answer = xero.post_statements(new_statement(str(again["id"])))
    assert answer.json()["items"][0]["errors"][0]["type"] == "invalid-feed-connection"
    assert xero.post_statements(new_statement(str(good["id"]))).status_code == 202


def test_an_organisation_without_bank_feeds_may_say_so_later_too(xero: Xero) -> None:
    xero.connect(DEMO)
    xero.switch("feedConnections", "checkedLater")
    new = new_feed(accountId=None, accountNumber="777")
    (item,) = xero.post_feed(new, tenant=DEMO).json()["items"]
    xero.advance(1)
    found = xero.call("GET", f"{FEED_CONNECTIONS}/{item['id']}", tenant=DEMO).json()
    assert (found["error"]["type"], found["error"]["status"]) == ("invalid-organisation-bank-feeds", 403)


def test_or_every_one_is_rejected_later(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.switch("feedConnections", "rejectedLater")
    found = later(xero, xero.post_feed(new_feed()))
    assert (found["status"], found["error"]["type"]) == ("REJECTED", "account-not-valid")


def test_the_currency_of_a_feed_is_one_of_the_organisations(xero: Xero) -> None:
    xero.connect(BAKERY)
    assert xero.post_feed(new_feed(currency="EUR")).status_code == 202


def test_or_it_is_that_of_the_account(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.switch("currencyChecked", "account")
    assert refusal(xero.post_feed(new_feed(currency="EUR"))) == "account-not-valid"
    assert xero.post_feed(new_feed()).status_code == 202


def test_or_it_is_checked_with_the_first_statement(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.switch("currencyChecked", "statements")
    feed = xero.active_feed(currency="USD")
    answer = xero.post_statements(new_statement(feed))
    assert answer.status_code == 403
    assert answer.json()["items"][0]["errors"][0]["type"] == "invalid-organisation-multi-currency"
    xero.control("PUT", f"orgs/{BAKERY}", {"currencies": ["GBP", "EUR", "USD"]})
    assert xero.post_statements(new_statement(feed)).status_code == 202


@pytest.mark.parametrize(
    ("position", "without", "own", "another"),
    [("optional", 202, 202, 202), ("required", 400, 202, 202), ("refused", 202, 400, 400)],
)
def test_the_country_of_a_feed_of_a_multi_region_app(
    xero: Xero, position: str, without: int, own: int, another: int
) -> None:
    xero.control("PUT", "app", {"multiRegion": True})
    xero.connect(BAKERY)
    xero.switch("country", position)
    for number, (country, status) in enumerate(((None, without), ("GB", own), ("NZ", another))):
        new = new_feed(accountToken=f"token-{number}", accountId=None, accountNumber=f"77{number}", country=country)
        assert xero.post_feed(new).status_code == status


@pytest.mark.parametrize("position", [200, 202])
def test_the_status_of_the_list(xero: Xero, position: int) -> None:
    xero.connect(BAKERY)
    xero.switch("feedListStatus", position)
    assert xero.call("GET", FEED_CONNECTIONS).status_code == position


@pytest.mark.parametrize(("position", "form"), [("guid", GUID), ("opaque", OPAQUE)])
def test_the_ids_that_xero_gives(xero: Xero, position: str, form: re.Pattern[str]) -> None:
    xero.switch("ids", position)
    xero.connect(BAKERY)
    feed = xero.active_feed()
    statement = xero.post_statements(new_statement(feed)).json()["items"][0]["id"]
    (connection,) = xero.call("GET", "/connections", tenant=None).json()
    for id in (feed, statement, connection["id"]):
        assert form.fullmatch(id)
    assert xero.call("GET", f"{STATEMENTS}/{statement}").json()["feedConnectionId"] == feed
    assert xero.call("GET", f"{FEED_CONNECTIONS}/{feed}").status_code == 200
    assert xero.post_statements(new_statement("nobody", new_line("t-2"))).status_code != 202
    assert xero.call("DELETE", f"/connections/{connection['id']}", tenant=None).status_code == 204


@pytest.mark.parametrize("position", [404, 400])
def test_the_answer_to_an_id_that_is_no_guid(xero: Xero, position: int) -> None:
    xero.connect(BAKERY)
    xero.switch("malformedId", position)
    for path in (FEED_CONNECTIONS, STATEMENTS):
        assert xero.call("GET", f"{path}/nobody").status_code == position
        assert xero.call("GET", f"{path}/{CURRENT_ACCOUNT}").status_code == 404


@pytest.mark.parametrize(
    ("position", "detail"), [(403, "AuthenticationUnsuccessful"), (401, "AuthorizationUnsuccessful")]
)
def test_the_answer_to_a_missing_scope(xero: Xero, position: int, detail: str) -> None:
    xero.connect(BAKERY, scope=SCOPES.replace(" bankfeeds", ""))
    xero.switch("missingScope", position)
    answer = xero.call("GET", STATEMENTS)
    assert (answer.status_code, answer.json()["Detail"]) == (position, detail)
    assert ("www-authenticate" in answer.headers) is (position == 401)


@pytest.mark.parametrize(
    ("position", "minute", "day"), [("short", "minute", "day"), ("long", "MinuteLimit", "DayLimit")]
)
def test_the_name_of_a_limit(xero: Xero, position: str, minute: str, day: str) -> None:
    xero.connect(BAKERY)
    xero.switch("limitNames", position)
    for limit, expected in (("tenantMinute", minute), ("tenantDay", day)):
        xero.control("PUT", "limits", {limit: 0})
        answer = xero.call("GET", STATEMENTS)
        assert (answer.status_code, answer.headers["x-rate-limit-problem"]) == (429, expected)


@pytest.mark.parametrize(("role", "is_allowed"), [("STANDARD", True), ("READONLY", False)])
def test_a_user_with_a_low_role_may_only_look(xero: Xero, role: str, is_allowed: bool) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    xero.control("PUT", f"orgs/{BAKERY}", {"roles": {xero.state.consent.user_id: role}})
    delete = {"items": [{"id": feed}]}
    for answer in (
        xero.post_statements(new_statement(feed)),
        xero.post_feed(new_feed(accountToken="token-2", accountId=None, accountNumber="777")),
        xero.call("POST", f"{FEED_CONNECTIONS}/DeleteRequests", body=delete),
    ):
        assert answer.status_code == (202 if is_allowed else 403)
        assert is_allowed or answer.json()["type"] == "invalid-user-role"
    assert xero.call("GET", FEED_CONNECTIONS).status_code == 200
