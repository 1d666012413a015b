"""Feed connections: asynchronous creation and deletion, and every reason for a rejection."""

from typing import Any

import pytest

from tests.contract.simulator.driver import (
    BAKERY,
    CURRENT_ACCOUNT,
    DEMO,
    FEED_CONNECTIONS,
    JOINERY,
    PAYPAL_ACCOUNT,
    SAVINGS_ACCOUNT,
    Xero,
    new_feed,
    new_statement,
)


def error_of(xero: Xero, item: dict[str, Any], tenant: str = BAKERY) -> dict[str, Any]:
    """The error of a single rejected item: HTTP 400, whatever the item's own status."""
    answer = xero.post_feed(item, tenant=tenant)
    assert answer.status_code == 400, answer.text
    (rejected,) = answer.json()["items"]
    assert rejected["status"] == "REJECTED"
    assert "id" not in rejected
    error: dict[str, Any] = rejected["error"]
    return error


def test_a_new_feed_connection_is_pending_and_loses_its_status_when_active(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.control("PUT", "timing", {"feedConnectionSeconds": 10})
    answer = xero.post_feed(new_feed())
    (item,) = answer.json()["items"]
    assert (answer.status_code, set(item)) == (202, {"id", "accountToken", "status"})
    path = f"{FEED_CONNECTIONS}/{item['id']}"
    xero.advance(9)
    assert xero.call("GET", path).json()["status"] == "PENDING"
    xero.advance(1)
    active = xero.call("GET", path)
    assert (active.status_code, active.json()) == (
        200,
        {
            "id": item["id"],
            "accountToken": "token-1",
            "accountType": "BANK",
            "accountNumber": "20454555779911",
            "accountName": "Business Current Account",
            "accountId": CURRENT_ACCOUNT,
            "currency": "GBP",
            "country": "GB",
        },
    )


def test_an_empty_list_is_a_200_with_xeros_paging(xero: Xero) -> None:
    xero.connect(BAKERY)
    answer = xero.call("GET", FEED_CONNECTIONS)
    assert (answer.status_code, answer.json()) == (
        200,
        {"pagination": {"page": 1, "pageCount": 0, "pageSize": 20, "itemCount": 0}, "items": []},
    )


def test_the_list_comes_in_pages_counted_from_one(xero: Xero) -> None:
    xero.connect(BAKERY)
    items = [
        new_feed(accountToken=f"token-{count}", accountId=None, accountNumber=f"1000{count}") for count in range(5)
    ]
    assert xero.post_feed(*items).status_code == 202

    def tokens(**params: Any) -> list[str]:
        found = xero.call("GET", FEED_CONNECTIONS, params=params).json()
        assert found["pagination"]["itemCount"] == len(found["items"])
        return [one["accountToken"] for one in found["items"]]

    assert tokens(page=1, pageSize=2) == ["token-0", "token-1"]
    assert tokens(page=3, pageSize=2) == ["token-4"]
    assert tokens(page=4, pageSize=2) == []
    for nonsense in ("-1", "0", "first"):
        assert tokens(page=nonsense, pageSize=2) == ["token-0", "token-1"]
    assert xero.call("GET", FEED_CONNECTIONS, params={"pageSize": 2}).json()["pagination"]["pageCount"] == 3


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        (
            {"accountNumber": "1" * 41},
            "For the request field 'AccountNumber' exceeded the maximum length of 40.",
        ),
        (
            {"accountToken": "t" * 51},
            "For the request field 'AccountToken' exceeded the maximum length of 50.",
        ),
        ({"accountName": "n" * 31}, "For the request field 'AccountName' exceeded the maximum length of 30."),
        ({"accountToken": None}, "For the request field 'AccountToken' missing parameter."),
        ({"accountType": None}, "For the request field 'AccountType' missing parameter."),
        ({"currency": None}, "For the request field 'Currency' missing parameter."),
        ({"accountId": None}, "For the request field 'AccountNumber' missing parameter."),
        ({"accountType": "PAYPAL"}, "For the request field 'AccountType' invalid value."),
        ({"accountId": "17"}, "For the request field 'AccountId' invalid value."),
        ({"currency": "gbp"}, "For the request field 'Currency' invalid value."),
        (
            {"accountType": "CREDITCARD", "accountId": None, "accountNumber": "4111111111114242"},
            "For the request field 'AccountNumber' exceeded the maximum length of 4.",
        ),
        (
            {"accountType": "CREDITCARD", "accountId": None, "accountNumber": "42x2"},
            "For the request field 'AccountNumber' invalid value.",
        ),
    ],
)
def test_a_malformed_item_is_an_invalid_request(xero: Xero, changes: dict[str, Any], detail: str) -> None:
    xero.connect(BAKERY)
    error = error_of(xero, new_feed(**changes))
    assert (error["type"], error["status"], error["detail"]) == ("invalid-request", 400, detail)


def test_a_currency_the_organisation_does_not_hold_is_refused(xero: Xero) -> None:
    xero.connect(BAKERY)
    item = new_feed(accountId=None, accountNumber="555", currency="USD")
    assert error_of(xero, item)["type"] == "invalid-organisation-multi-currency"
    xero.control("PUT", f"orgs/{BAKERY}", {"currencies": ["GBP", "USD"]})
    assert xero.post_feed(item).status_code == 202


def test_another_country_is_only_for_multi_region_apps(xero: Xero) -> None:
    xero.connect(BAKERY)
    assert error_of(xero, new_feed(country="AU"))["type"] == "invalid-country-specified"
    xero.control("PUT", "app", {"multiRegion": True})
    assert error_of(xero, new_feed(country="Australia"))["type"] == "invalid-country-specified"
    assert xero.post_feed(new_feed(country="AU")).status_code == 202


@pytest.mark.parametrize("account_id", [PAYPAL_ACCOUNT, "0f0f0f0f-0000-4000-8000-00000000dead"])
def test_a_paypal_or_unknown_account_cannot_be_fed(xero: Xero, account_id: str) -> None:
    xero.connect(BAKERY)
    assert error_of(xero, new_feed(accountId=account_id))["type"] == "account-not-valid"


def test_the_same_account_or_token_cannot_be_connected_twice(xero: Xero) -> None:
    """HTTP says 400 and the item says 409, as Xero's own answer does."""
    xero.connect(BAKERY)
    xero.active_feed()
    same_token = error_of(xero, new_feed(accountId=SAVINGS_ACCOUNT))
    assert same_token == {
        "type": "feed-already-connected-in-current-organisation",
        "title": "Feed Connection Failed",
        "status": 409,
        "detail": "The AccountToken, AccountNumber or AccountId is already connected"
        " to another Xero Bank Account in the selected Xero Organisation.",
    }
    assert error_of(xero, new_feed(accountToken="token-2"))["type"] == same_token["type"]
    same_number = new_feed(accountToken="token-3", accountId=None, accountNumber="20-45-45 55779911")
    assert error_of(xero, same_number)["type"] == same_token["type"]


def test_an_account_token_is_unique_across_organisations(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    xero.active_feed()
    item = new_feed(accountId=None, accountNumber="999")
    assert error_of(xero, item, tenant=JOINERY)["type"] == "feed-connected-in-different-organisation"


def test_a_mixed_outcome_is_a_202_with_each_items_own_status(xero: Xero) -> None:
    xero.connect(BAKERY)
    answer = xero.post_feed(new_feed(), new_feed(accountToken="token-2"))
    assert answer.status_code == 202
    assert [one["status"] for one in answer.json()["items"]] == ["PENDING", "REJECTED"]


def test_a_number_that_matches_uses_the_account_and_one_that_does_not_makes_a_new_one(xero: Xero) -> None:
    xero.connect(BAKERY)
    card = new_feed(accountId=None, accountNumber="4242", accountType="CREDITCARD")
    made = new_feed(accountToken="token-2", accountId=None, accountNumber="77889900", accountName="Till Account")
    assert xero.post_feed(card, made).status_code == 202
    feeds = xero.call("GET", FEED_CONNECTIONS).json()["items"]
    assert [one["accountName"] for one in feeds] == ["Business Visa", "Till Account"]
    accounts = xero.call("GET", "/api.xro/2.0/Accounts", params={"where": 'Type=="BANK"'}).json()["Accounts"]
    new = next(one for one in accounts if one["Name"] == "Till Account")
    assert (new["AccountID"], new["BankAccountNumber"]) == (feeds[1]["accountId"], "77889900")


def test_a_card_matches_by_the_last_four_digits_of_its_number(xero: Xero) -> None:
    card = {"name": "Gold Card", "type": "CREDITCARD", "number": "4111 1111 1111 1881"}
    org = {"name": "Cedar Dental", "country": "GB", "currency": "GBP", "accounts": [card]}
    tenant = xero.control("POST", "orgs", org)["tenantId"]
    xero.connect(tenant)
    item = new_feed(accountId=None, accountNumber="1881", accountType="CREDITCARD")
    assert xero.post_feed(item, tenant=tenant).status_code == 202
    (feed,) = xero.call("GET", FEED_CONNECTIONS, tenant=tenant).json()["items"]
    assert feed["accountName"] == "Gold Card"


def test_a_deletion_takes_its_time_and_then_statements_are_refused(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    deleted = xero.call("POST", f"{FEED_CONNECTIONS}/DeleteRequests", body={"items": [{"id": feed}]})
    assert (deleted.status_code, deleted.json()) == (202, {"items": [{"id": feed, "status": "PENDING"}]})
    assert xero.call("GET", f"{FEED_CONNECTIONS}/{feed}").status_code == 200
    xero.advance(1)
    gone = xero.call("GET", f"{FEED_CONNECTIONS}/{feed}")
    assert (gone.status_code, gone.json()["type"]) == (404, "bank-feed-not-found")
    (item,) = xero.post_statements(new_statement(feed)).json()["items"]
    assert item["errors"][0]["type"] == "invalid-feed-connection"
    assert xero.post_feed(new_feed()).status_code == 202


def test_deleting_what_is_not_there_is_rejected(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    path = f"{FEED_CONNECTIONS}/DeleteRequests"
    xero.call("POST", path, body={"items": [{"id": feed}]})
    xero.advance(1)
    answer = xero.call("POST", path, body={"items": [{"id": feed}]})
    assert answer.status_code == 400
    assert answer.json()["items"][0]["error"]["type"] == "feed-not-found-or-already-deleted"


def test_deleting_another_organisations_feed_is_rejected_without_a_status_in_the_error(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    feed = xero.active_feed()
    path = f"{FEED_CONNECTIONS}/DeleteRequests"
    (item,) = xero.call("POST", path, tenant=JOINERY, body={"items": [{"id": feed}]}).json()["items"]
    assert item["error"]["type"] == "feed-connected-in-different-organisation"
    assert "status" not in item["error"]


def test_a_feed_ended_inside_xero_is_gone_at_once(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    xero.control("DELETE", f"feedConnections/{feed}")
    assert xero.call("GET", f"{FEED_CONNECTIONS}/{feed}").status_code == 404


def test_objects_of_another_app_or_organisation_are_not_visible(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    feed = xero.active_feed()
    assert xero.call("GET", FEED_CONNECTIONS, tenant=JOINERY).json()["items"] == []
    xero.control("PUT", "app", {"clientId": "ANOTHERAPP"})
    code = xero.code(BAKERY, client_id="ANOTHERAPP")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "http://localhost:4566/oauth/callback",
    }
    secret = xero.control("GET", "app")["clientSecrets"][0]
    token = xero.http.post("/connect/token", data=form, auth=("ANOTHERAPP", secret)).json()["access_token"]
    assert xero.call("GET", FEED_CONNECTIONS, token=token).json()["items"] == []
    assert xero.call("GET", f"{FEED_CONNECTIONS}/{feed}", token=token).status_code == 404
    assert xero.call("GET", f"{FEED_CONNECTIONS}/{feed}").status_code == 200


def test_an_app_without_bank_feeds_or_suspended_gets_its_403_everywhere(xero: Xero) -> None:
    xero.connect(BAKERY)
    feed = xero.active_feed()
    for switch, type_ in (
        ({"bankFeedsEnabled": False}, "invalid-application"),
        ({"suspended": True}, "suspended-or-terminated-application"),
    ):
        xero.control("PUT", "app", switch)
        for answer in (
            xero.call("GET", FEED_CONNECTIONS),
            xero.call("GET", f"{FEED_CONNECTIONS}/{feed}"),
            xero.post_feed(new_feed()),
            xero.post_statements(new_statement(feed)),
        ):
            assert (answer.status_code, answer.json()["type"]) == (403, type_)


def test_an_organisation_without_bank_feeds_may_connect_a_feed_but_its_push_meets_the_403(xero: Xero) -> None:
    xero.connect(JOINERY)
    feed = xero.active_feed(tenant=JOINERY, accountId=None, accountNumber="777")
    answer = xero.post_statements(new_statement(feed), tenant=JOINERY)
    assert (answer.status_code, answer.json()) == (
        403,
        {
            "type": "invalid-organisation-bank-feeds",
            "title": "Invalid Organisation",
            "status": 403,
            "detail": "The organisation does not support automated bank feeds.",
        },
    )
    xero.control("PUT", f"orgs/{JOINERY}", {"bankFeeds": True})
    assert xero.post_statements(new_statement(feed), tenant=JOINERY).status_code == 202


@pytest.mark.parametrize("tenant", [JOINERY, DEMO])
def test_a_switch_refuses_the_feed_connection_itself_as_it_does_for_the_demo_company(xero: Xero, tenant: str) -> None:
    xero.connect(tenant)
    new = new_feed(accountId=None, accountNumber="777")
    xero.control("PUT", f"orgs/{tenant}", {"feedConnectionsAllowed": True})
    assert xero.post_feed(new, tenant=tenant).status_code == 202
    xero.control("POST", "reset")
    xero.connect(tenant)
    if tenant == JOINERY:
        xero.control("PUT", f"orgs/{tenant}", {"feedConnectionsAllowed": False})
    answer = xero.post_feed(new, tenant=tenant)
    assert (answer.status_code, answer.json()["type"]) == (403, "invalid-organisation-bank-feeds")
