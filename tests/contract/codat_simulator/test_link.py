"""Hosted Link: the customer's visit, and where the redirect template sends them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.codat_simulator.driver import BAKERY, JOINERY, REDIRECT, Driver, Ids, path_of, query_of


@pytest.fixture
def ids(codat: Driver) -> Ids:
    codat.control("PUT", "profile", {"redirectUrl": REDIRECT})
    codat.control("PUT", "link", {"mode": "auto", "tenantId": JOINERY})
    ids = codat.company()
    codat.add_account(ids)
    return ids


def visit(codat: Driver, ids: Ids, **query: str) -> Any:
    return codat.http.get(link_of(codat, ids), params=query)


def link_of(codat: Driver, ids: Ids) -> str:
    return str(codat.call("GET", path_of(ids)).json()["linkUrl"])


def status(codat: Driver, ids: Ids) -> str:
    return str(codat.call("GET", path_of(ids)).json()["status"])


def test_a_customer_who_authorises_comes_back_with_200(codat: Driver, ids: Ids) -> None:
    answer = visit(codat, ids)
    assert answer.status_code == 302
    location = answer.headers["location"]
    assert location.startswith(f"https://app.example.com/done/{ids['company_id']}?")
    assert query_of(location) == {"code": "200", "connection": ids["connection_id"], "error": ""}
    assert status(codat, ids) == "Linked"
    assert codat.control("GET", "connections")["connections"][0]["tenantId"] == JOINERY


@pytest.mark.parametrize(
    ("outcome", "code", "error"),
    [
        ("existing", "201", ""),
        ("cancelled", "403", "User cancelled"),
        ("failed", "500", "Unknown error occurred"),
        ("unsupported", "501", "Not supported"),
    ],
)
def test_the_other_endings(codat: Driver, ids: Ids, outcome: str, code: str, error: str) -> None:
    codat.control("PUT", "link", {"outcome": outcome})
    location = visit(codat, ids).headers["location"]
    assert query_of(location) == {"code": code, "connection": ids["connection_id"], "error": error}
    assert "+" not in location
    assert status(codat, ids) == "PendingAuth"
    errors = codat.call("GET", path_of(ids)).json()["dataConnectionErrors"]
    assert [one["statusCode"] for one in errors] == ([] if outcome == "existing" else [code])
    codat.switch("errorTexts", "fullStop")
    assert query_of(visit(codat, ids).headers["location"])["error"] == (f"{error}." if error else "")


def test_custom_parameters_fill_their_placeholders(codat: Driver, ids: Ids) -> None:
    template = "https://app.example.com/{journey}/ok?u={userId}&n={data.company.companyName}&p={platform}&o={link.otp}"
    codat.control("PUT", "profile", {"redirectUrl": template})
    location = visit(codat, ids, userId="7 & more/less", **{"link.otp": "x"}).headers["location"]
    assert location.startswith("https://app.example.com//ok?u=7%20%26%20more%2Fless&")
    assert query_of(location)["n"] == "Northwind Joinery"
    assert query_of(location)["p"] == "gbol"
    assert query_of(location)["o"] == ""


def test_a_parameter_cannot_pass_for_codats_own(codat: Driver, ids: Ids) -> None:
    codat.control("PUT", "link", {"outcome": "cancelled"})
    location = visit(codat, ids, statusCode="200", connectionId="other").headers["location"]
    assert query_of(location)["code"] == "403"
    assert query_of(location)["connection"] == ids["connection_id"]


def test_a_host_made_of_placeholders_must_be_listed(codat: Driver, ids: Ids) -> None:
    codat.control("PUT", "profile", {"redirectUrl": "https://{shop}.example.com/done"})
    assert visit(codat, ids, shop="a").status_code == 200
    codat.control("PUT", "profile", {"whiteListUrls": ["https://a.example.com"]})
    assert visit(codat, ids, shop="a").headers["location"] == "https://a.example.com/done"
    assert visit(codat, ids, shop="b").status_code == 200


def test_without_a_template_there_is_a_page(codat: Driver) -> None:
    codat.control("PUT", "link", {"mode": "auto"})
    ids = codat.company()
    assert "Success" in visit(codat, ids).text


def test_a_person_decides_on_the_page(codat: Driver, ids: Ids) -> None:
    codat.control("PUT", "link", {"mode": "page"})
    page = visit(codat, ids)
    assert 'id="linked"' in page.text
    assert "Northwind Joinery" in page.text
    link = link_of(codat, ids)
    chosen = codat.http.post(link, params={"x": "1"}, data={"outcome": "linked", "tenantId": BAKERY})
    assert query_of(chosen.headers["location"])["code"] == "200"
    assert codat.control("GET", "connections")["connections"][0]["tenantId"] == BAKERY
    assert codat.http.post(link, data={"outcome": "nonsense"}).status_code == 400


def test_the_companys_link_leads_to_its_connection(codat: Driver, ids: Ids) -> None:
    company = codat.call("GET", f"/companies/{ids['company_id']}").json()
    first = codat.http.get(company["redirect"], params={"u": "1"})
    assert first.headers["location"] == f"{path_of(ids)}/start?u=1"


def test_a_link_of_nothing_is_a_404(codat: Driver, ids: Ids) -> None:
    assert codat.http.get(f"{path_of({**ids, 'connection_id': ids['company_id']})}/start").status_code == 404


def test_a_password_works_once_and_is_renewed_by_reading(codat: Driver, ids: Ids) -> None:
    codat.switch("oneTimePasswords", True)
    link = link_of(codat, ids)
    assert codat.http.get(link.partition("?")[0]).status_code == 403
    assert codat.http.get(link).status_code == 302
    assert codat.http.get(link).status_code == 403
    fresh = link_of(codat, ids)
    codat.advance(86_400)
    assert codat.http.get(fresh).status_code == 403
    assert codat.http.get(link_of(codat, ids)).status_code == 302


@pytest.mark.parametrize(("position", "first"), [("unlinksFirst", "Unlinked"), ("both", "Linked")])
def test_a_second_connection_of_a_company(codat: Driver, ids: Ids, position: str, first: str) -> None:
    codat.switch("secondLink", position)
    visit(codat, ids)
    made = codat.call("POST", f"/companies/{ids['company_id']}/connections", {"platformKey": "gbol"}).json()
    second = {**ids, "connection_id": made["id"]}
    visit(codat, second)
    assert (status(codat, ids), status(codat, second)) == (first, "Linked")


def test_the_customer_may_map_new_accounts_in_the_visit(codat: Driver, ids: Ids) -> None:
    codat.control("PUT", "link", {"maps": "newAccounts", "tenantId": BAKERY})
    visit(codat, ids)
    accounts = f"{path_of(ids)}/connectionInfo/bankFeedAccounts"
    assert codat.call("GET", accounts).json()[0]["status"] == "connecting"


def test_a_feed_right_can_always_be_asked_for(codat: Driver) -> None:
    codat.switch("feedScope", "always")
    ids = codat.company()
    codat.link(ids)
    codat.add_account(ids)
    assert codat.map(ids).status_code == 200


def test_a_link_again_is_a_reconnection(codat: Driver, ids: Ids) -> None:
    names = ["connected", "disconnected", "reconnected", "failed"]
    events = [f"connection.{name}" for name in names]
    codat.call("POST", "/webhooks", {"url": "http://127.0.0.1:9/none", "eventTypes": events})
    visit(codat, ids)
    codat.control("PUT", f"connections/{ids['connection_id']}", {"status": "Deauthorized"})
    codat.control("PUT", "link", {"outcome": "cancelled"})
    visit(codat, ids)
    codat.control("PUT", "link", {"outcome": "linked"})
    visit(codat, ids)
    sent = [message["eventType"] for message in codat.control("GET", "messages")["messages"]]
    assert sent == [f"connection.{name}" for name in ("connected", "disconnected", "failed", "reconnected")]
    errors = codat.call("GET", path_of(ids)).json()["dataConnectionErrors"]
    assert {error["status"] for error in errors} == {"Resolved"}
