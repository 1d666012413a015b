"""The simulator's own pages, which play Xero Developer: forms without scripts, over the control functions."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from local.simulator.behaviour import Behaviour
from local.simulator.developer_faults import OFFERED
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.contract.simulator.driver import (
    BAKERY,
    FEED_CONNECTIONS,
    HUNG_UP,
    JOINERY,
    REDIRECT,
    Xero,
    callback,
    new_line,
    new_statement,
)  # fmt: skip

PAGES = [
    "/", "/developer/app", "/developer/organisations", "/developer/faults", "/developer/behaviour",
    "/developer/received", "/developer/calls",
]  # fmt: skip


def get(xero: Xero, path: str) -> str:
    answer = xero.http.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def send(xero: Xero, path: str, **fields: Any) -> str:
    """The page that a form leads to."""
    answer = xero.http.post(path, data=fields, follow_redirects=True)
    assert (answer.status_code, answer.history[0].status_code) == (200, 303), answer.text
    return unescape(answer.text)


def refused(xero: Xero, path: str, **fields: Any) -> str:
    answer: httpx.Response = xero.http.post(path, data=fields)
    assert answer.status_code == 400, answer.text
    assert "<title>Error: " in answer.text
    return unescape(answer.text)


def test_the_pages_lead_to_each_other_and_are_no_calls_to_xero(xero: Xero) -> None:
    for path in PAGES:
        page = get(xero, path)
        assert all(f'href="{other}"' in page for other in PAGES)
        assert page.count("<h1") == 1
    assert xero.http.get("/favicon.ico").status_code == 204
    assert xero.control("GET", "calls")["calls"] == []


def test_every_form_has_a_route_and_going_there_by_hand_leads_back(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.active_feed()
    xero.control("POST", "faults", {"fault": "status", "status": 500, "times": None}, expect=201)
    actions = {action for path in PAGES for action in re.findall(r'method="post" action="([^"]+)"', get(xero, path))}
    assert len(actions) > 15
    for action in actions:
        answer = xero.http.get(action)
        assert answer.status_code == 303, action
        assert answer.headers["location"] in PAGES


def test_the_app_is_named_and_a_wrong_name_stays_in_its_field(xero: Xero) -> None:
    send(xero, "/developer/app/details", name="Ledgerly", companyUrl="https://ledgerly.example")
    assert xero.control("GET", "app")["companyUrl"] == "https://ledgerly.example"
    page = refused(xero, "/developer/app/details", name="My Xero <app>", companyUrl="https://a.example")
    assert 'value="My Xero <app>"' in page
    assert "may not contain the word Xero" in page
    assert 'aria-invalid="true"' in page
    refused(xero, "/developer/app/details", name="Ledgerly", companyUrl="http://ledgerly.example")
    assert xero.control("GET", "app")["name"] == "Ledgerly"


def test_a_secret_is_shown_once_and_works_until_it_is_removed(xero: Xero) -> None:
    page = get(xero, "/developer/app")
    assert DEFAULT_CLIENT_ID in page
    assert DEFAULT_CLIENT_SECRET not in page
    answer = xero.http.post("/developer/app/secrets")
    again = answer.headers["location"]
    shown = re.search(r'id="secret">([^<]+)<', get(xero, again))
    assert shown is not None
    secret = shown.group(1)
    assert secret not in get(xero, again) + get(xero, "/developer/app")

    def exchange_with(secret: str) -> int:
        form = {"grant_type": "authorization_code", "code": xero.code(BAKERY), "redirect_uri": REDIRECT}
        return xero.http.post("/connect/token", data=form, auth=(DEFAULT_CLIENT_ID, secret)).status_code

    assert exchange_with(secret) == 200
    refused(xero, "/developer/app/secrets")
    send(xero, "/developer/app/secrets/remove", ending=DEFAULT_CLIENT_SECRET[-4:])
    assert (exchange_with(secret), exchange_with(DEFAULT_CLIENT_SECRET)) == (200, 400)
    refused(xero, "/developer/app/secrets/remove", ending=secret[-4:])


def test_redirect_uris_match_exactly_as_registered(xero: Xero) -> None:
    assert xero.authorize().status_code == 200
    send(xero, "/developer/app/redirects", redirectUri=f"{REDIRECT}/")
    page = xero.authorize().text
    assert "Invalid redirect_uri" in page
    assert 'href="/developer/app"' in page
    send(xero, "/developer/app/redirects", redirectUri=REDIRECT)
    assert "Invalid redirect_uri" not in xero.authorize().text
    assert "is registered already" in refused(xero, "/developer/app/redirects", redirectUri=REDIRECT)
    for wrong in ("http://127.0.0.1:1/x", "http://platform.example/x", "ftp://a.example", "x", ""):
        refused(xero, "/developer/app/redirects", redirectUri=wrong)
    send(xero, "/developer/app/redirects/remove", redirectUri=f"{REDIRECT}/")
    assert xero.control("GET", "app")["redirectUris"] == [REDIRECT]


def test_bank_feeds_need_xeros_approval(xero: Xero) -> None:
    scopes = [scope for scope in xero.control("GET", "app")["allowedScopes"] if scope != "bankfeeds"]
    send(xero, "/developer/app/access", scope=scopes, connectionLimit="25")
    assert "invalid_scope" in xero.authorize().text
    assert "not approved by Xero" in get(xero, "/")
    send(xero, "/developer/app/access", scope=scopes, connectionLimit="25", bankFeedsEnabled="on")
    assert xero.authorize().status_code == 200


def test_a_limit_that_is_empty_is_none(xero: Xero) -> None:
    send(xero, "/developer/app/access", scope="openid", connectionLimit="", certified="on")
    app = xero.control("GET", "app")
    assert (app["connectionLimit"], app["certified"], app["allowedScopes"]) == (None, True, ["openid"])
    assert "unlimited connections" in get(xero, "/")
    for wrong in ("many", "-1", "2.5", "inf", "nan"):
        refused(xero, "/developer/app/access", connectionLimit=wrong)


def test_an_organisation_is_made_with_plan_and_accounts_and_can_be_chosen(xero: Xero) -> None:
    fields = {
        "name": "Café “Zoé”", "country": "FR", "currency": "eur", "plan": "STARTER", "bankFeeds": "on",
        "accounts[1].name": "Compte", "accounts[1].number": "FR76123", "accounts[1].type": "BANK",
    }  # fmt: skip
    page = send(xero, "/developer/organisations/add", **fields)
    assert "Café “Zoé”" in page
    made = xero.control("GET", "orgs")["orgs"][-1]
    assert (made["plan"], made["currency"], made["demo"], made["bankFeeds"]) == ("STARTER", "EUR", False, True)
    assert [account["name"] for account in made["accounts"]] == ["Compte"]
    xero.connect(made["tenantId"])
    shown = xero.call("GET", "/api.xro/2.0/Organisation", tenant=made["tenantId"]).json()["Organisations"][0]
    assert (shown["Class"], shown["Name"]) == ("STARTER", "Café “Zoé”")


def test_a_wrong_account_is_named_in_its_own_row(xero: Xero) -> None:
    fields = {"name": "A", "country": "GB", "currency": "GBP", "plan": "STARTER", "accounts[2].name": "No number"}
    page = refused(xero, "/developer/organisations/add", **fields, **{"accounts[2].type": "BANK"})
    assert re.search(r'name="accounts\[2\].number"[^>]*\saria-invalid', page)
    assert 'value="No number"' in page
    assert len(xero.control("GET", "orgs")["orgs"]) == 3


def test_an_organisation_changes_and_the_customer_ends_things_in_xero(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    path = f"/developer/organisations/{BAKERY}"
    send(xero, path, name="Harbour Bakery 2", plan="PREMIUM", feedConnectionsAllowed="on")
    changed = xero.control("GET", "orgs")["orgs"][0]
    assert (changed["name"], changed["plan"], changed["bankFeeds"]) == ("Harbour Bakery 2", "PREMIUM", False)
    account = changed["accounts"][0]["accountId"]
    send(xero, f"{path}/accounts", accountId=account, archived="true")
    assert xero.control("GET", "orgs")["orgs"][0]["accounts"][0]["archived"] is True
    send(xero, f"/developer/feeds/{feed}/end")
    send(xero, f"{path}/disconnect")
    assert xero.control("GET", "connections")["connections"] == []
    assert xero.http.post(f"{path}/disconnect").status_code == 404


def test_every_offered_fault_strikes_is_shown_by_its_name_and_is_turned_off(xero: Xero) -> None:
    xero.control("PUT", "limits", {"tenantMinute": 1000})
    xero.connect(BAKERY)
    feed = xero.active_feed()
    for number, (name, offered) in enumerate(OFFERED.items()):
        page = send(xero, "/developer/faults/add", fault=name, tenantId="", times="1")
        on_now = page.partition("<h2>Turn one on")[0]
        assert offered.title in on_now
        statement = new_statement(feed, new_line(f"t-{number}"))
        if name == "slow":
            send(xero, "/developer/faults/clear")
        elif name == "lostToken":
            code = xero.code(BAKERY)
            with pytest.raises(HUNG_UP):
                xero.exchange(code)
        elif name == "lost":
            with pytest.raises(HUNG_UP):
                xero.post_statements(statement)
        else:
            answer = xero.post_statements(statement)
            assert str(answer.status_code) in offered.title + offered.about
        assert "None. Xero is well." in get(xero, "/developer/faults")


def test_a_fault_is_for_one_organisation_until_it_is_turned_off(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    send(xero, "/developer/faults/add", fault="error", tenantId=JOINERY, times="")
    for _ in range(3):
        assert xero.call("GET", FEED_CONNECTIONS, tenant=JOINERY).status_code == 500
    assert xero.call("GET", FEED_CONNECTIONS).status_code == 200
    page = get(xero, "/developer/faults")
    assert "Northwind Joinery, until you turn it off" in page
    address = re.search(r'action="(/developer/faults/\d+/clear)"', page)
    assert address is not None
    send(xero, address.group(1))
    assert xero.call("GET", FEED_CONNECTIONS, tenant=JOINERY).status_code == 200
    assert xero.http.post(address.group(1)).status_code == 404


def test_an_outage_does_not_reach_the_pages(xero: Xero) -> None:
    send(xero, "/developer/faults/add", fault="outage", tenantId="", times="")
    assert xero.authorize().status_code == 503
    for path in PAGES:
        get(xero, path)


def test_wrong_faults_are_refused(xero: Xero) -> None:
    refused(xero, "/developer/faults/add", fault="nonsense", times="1")
    refused(xero, "/developer/faults/add", fault="error", times="0")
    refused(xero, "/developer/faults/reject", problem="nonsense", times="1")
    refused(xero, "/developer/faults/reject", problem="invalid-end-balance", times="0")


def test_what_was_received_is_shown_with_its_lines(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    send(xero, "/developer/faults/reject", problem="invalid-end-balance", tenantId=BAKERY, times="1")
    xero.post_statements(new_statement(feed, new_line("t-1", description="<b>Flour</b>")))
    xero.advance(2)
    page = get(xero, "/developer/received")
    assert "Harbour Bakery Ltd" in page
    assert "rejected" in page
    [statement] = xero.received()
    answer = xero.http.get(f"/developer/received/{statement['id']}").text
    for shown in ("t-1", "&lt;b&gt;Flour", "150", "End balance does not match"):
        assert shown in answer
    assert "None yet" in get(xero, f"/developer/received?tenant={JOINERY}")
    assert xero.http.get("/developer/received/unknown").status_code == 404
    assert "POST /bankfeeds.xro/1.0/Statements" in get(xero, "/developer/calls")


def test_lists_are_paged(xero: Xero) -> None:
    for _ in range(30):
        xero.http.get("/.well-known/openid-configuration")
    assert "1 to 25 of 30" in get(xero, "/developer/calls")
    assert "26 to 30 of 30" in get(xero, "/developer/calls?page=2")
    for odd in ("0", "-1", "99", "x", "²", "9" * 30):
        assert "of 30" in get(xero, f"/developer/calls?page={odd}")


def test_switches_times_consents_and_the_clock_are_set(xero: Xero) -> None:
    switches = Behaviour(first_page=0, refresh_ends_access_token=True, listed_after_seconds=45)
    values = {name: str(value).lower() if isinstance(value, bool | float | int) else f'"{value}"'
              for name, value in switches.model_dump(by_alias=True).items()}  # fmt: skip
    send(xero, "/developer/behaviour/switches", **values)
    assert xero.state.behaviour == switches
    refused(xero, "/developer/behaviour/switches", listedAfterSeconds="-3")
    send(xero, "/developer/behaviour/timing", statementSeconds="5", feedConnectionSeconds="0.5", responseSeconds="0")
    assert xero.control("GET", "timing")["feedConnectionSeconds"] == 0.5
    before = xero.control("GET", "clock")["advancedSeconds"]
    send(xero, "/developer/behaviour/clock", advanceSeconds="1800")
    assert xero.control("GET", "clock")["advancedSeconds"] == before + 1800
    refused(xero, "/developer/behaviour/clock", advanceSeconds="")
    send(xero, "/developer/behaviour/consent", mode="auto", tenantId=JOINERY)
    assert "code" in callback(xero.authorize())


def test_a_reset_asks_first(xero: Xero) -> None:
    xero.connect(BAKERY)
    refused(xero, "/developer/reset")
    assert xero.control("GET", "connections")["connections"]
    send(xero, "/developer/reset", sure="on")
    assert xero.control("GET", "connections")["connections"] == []


def test_a_form_of_another_site_is_refused(xero: Xero) -> None:
    answer = xero.http.post("/developer/app/secrets", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert len(xero.control("GET", "app")["clientSecrets"]) == 1
