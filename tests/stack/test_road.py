"""The main job on the deployed stack, end to end: only what a platform, its customer and Xero can see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.demo import ledgers, refusal
from local.demo.ledgers import yesterday
from local.demo.platform import Customer, status_of, wait_for
from local.instance import Instance
from tests.stack.road import Browser, Linked, Road, make_cold, rows, year

SUCCESSFUL = "bankTransactions.write.successful"
# The time-out of the HTTP client that the SDKs use, unless they are told another.
SDK_GIVES_UP_SECONDS = 5


@pytest.fixture(scope="module")
def road(instance: Instance) -> Iterator[Road]:
    road = Road(instance)
    yield road
    road.close()


@pytest.fixture(scope="module")
def bakery(road: Road) -> Linked:
    return road.link("Harbour Bakery Ltd", "current", "till", targets={"current": "Business Current"})


def test_pushes_through_both_doors_are_delivered_once_and_in_order_and_told_by_signed_webhooks(
    road: Road, bakery: Linked
) -> None:
    # Given transactions of an account, mapped to an existing Xero account
    account, sent = bakery.accounts["current"], year()[:120]

    # When they are pushed by API and by queue in turns
    first = road.push(account, sent[:50])
    road.platform.queue(account, sent[50:80])
    third = road.push(account, sent[80:100])
    road.platform.queue(account, sent[100:])

    # Then all arrives in order, the operations succeed, and each is told of once
    statements = road.delivered(bakery, len(sent))
    assert ledgers.verify_arrival("current", sent, statements).delivered == len(sent)
    operations = road.operations(bakery.company, 4)
    assert [status_of(one) for one in operations] == ["Success"] * 4
    assert {first, third} < {one.push_operation_key for one in operations}
    told = wait_for(
        lambda: found if len(found := road.receiver.of_type(SUCCESSFUL, bakery.company)) == 4 else None, "webhooks"
    )
    assert {event["payload"]["id"] for event in told} == {one.push_operation_key for one in operations}
    assert road.receiver.refused == 0


def test_the_same_push_again_is_the_same_operation_and_sends_nothing(road: Road) -> None:
    linked = road.link("Quay Cycles Ltd", "shop")
    account, sent = linked.accounts["shop"], rows(5)
    first = road.push(account, sent)
    road.platform.wait_until_ended(linked.company, first)

    assert road.push(account, sent) == first
    assert [len(one["lines"]) for one in road.simulator.statements(linked.tenant)] == [5]


def test_a_403_holds_alerts_once_refuses_and_after_its_release_everything_arrives_in_order(road: Road) -> None:
    # The demonstration verifies each of its steps.
    refusal.run(road.platform, road.simulator, road.receiver)

    # And the platform was told of the operation that the 403 ended, with Xero's problem
    alert = road.receiver.of_type("bankFeeds.held")[-1]
    company = alert["payload"]["companyId"]
    [failed, *_] = road.receiver.of_type("bankTransactions.write.unsuccessful", company)
    assert failed["payload"]["problem"]["type"] == refusal.TYPE
    assert road.platform.holds(company) == []


def test_messages_that_belong_to_nobody_are_set_aside_with_their_reason_and_stop_nobody(
    road: Road, bakery: Linked
) -> None:
    # Given a feed, and what a broken producer puts into its group and beside it
    account = bakery.accounts["till"]
    message = _message(bakery, "till")
    not_json, wrong_group = '{"version": 1, ', json.dumps(message | {"note": "wrong group"})
    unknown = json.dumps(message | {"companyId": "00000000-0000-4000-8000-000000000000"})

    # When good messages come in between and behind
    road.send(not_json, account.group)
    road.platform.queue(account, rows(4, "before"))
    road.send(wrong_group, bakery.accounts["current"].group)
    road.send(unknown, account.group)

    # Then these are delivered, and the others are kept
    assert road.platform.wait_until_ended(bakery.company, _operation_of(road, bakery, "till")).status_code == 200
    reasons = road.dead_letters(not_json, wrong_group, unknown)
    assert "JSON" in reasons[not_json]
    assert f"must be {account.group}" in reasons[wrong_group]
    assert "company" in reasons[unknown]


def test_a_push_that_cannot_be_recorded_fails_visibly_and_stops_nobody(road: Road) -> None:
    # Given two feeds, one of which gets messages that are wrong in different ways
    linked = road.link("Ferry Books Ltd", "shop", "online")
    shop = _message(linked, "shop")
    line = {"id": "good", "date": yesterday().isoformat(), "amount": 1, "balance": 1, "description": "Sale"}
    wrong_line = {"id": "bad", "date": "yesterday", "amount": "much", "balance": 1}
    road.send(json.dumps(shop | {"transactions": "none"}), f"{linked.connection}/shop")
    road.send(json.dumps(shop | {"transactions": [wrong_line]}), f"{linked.connection}/shop")
    road.send(json.dumps(_message(linked, "nowhere") | {"transactions": [line]}), f"{linked.connection}/nowhere")

    # When both feeds are pushed to
    pushed = [road.push(linked.accounts[name], rows(3, name)) for name in ("online", "shop")]

    # Then those pushes succeed, and what was wrong is a failed push operation that says why
    operations = {one.push_operation_key: one for one in road.operations(linked.company, 5)}
    assert [status_of(operations.pop(key)) for key in pushed] == ["Success", "Success"]
    assert {status_of(one) for one in operations.values()} == {"Failed"}
    said = sorted(str(one.error_message) for one in operations.values())
    assert [text.removeprefix("The push was not recorded: ") for text in said] == [
        "accountId is not connected to a Xero bank account.",
        "bad date must be a date such as 2026-05-01 or 2026-05-01T09:30:00 (and 1 more).",
        "transactions must be a list with at least one transaction.",
    ]


def test_answers_that_do_not_belong_to_a_consent_store_nothing(road: Road) -> None:
    # Given a connection whose customer is at Xero
    company, connection, link = road.create("Lighthouse Tours Ltd", "desk")
    browser, callback = Browser(), f"{road.platform.description['apiUrl']}/oauth/callback"
    state = browser.start(link)
    before, secrets = _shown(road, company, connection), _secrets(road.instance)

    # When answers come that are none, then a page says so
    unknown = browser.http.get(callback, params={"state": "no such state", "code": "x"})
    assert (unknown.status_code, "do not recognise" in unknown.text) == (400, True)
    without_code = browser.http.get(callback, params={"state": state})
    assert (without_code.status_code, "incomplete" in without_code.text) == (400, True)
    stranger = httpx.get(callback, params={"state": state, "code": "x"}, trust_env=False, timeout=35)
    assert (stranger.status_code, "browser you started in" in stranger.text) == (403, True)

    # And nothing is stored
    assert _shown(road, company, connection) == before
    assert _secrets(road.instance) == secrets

    # When the customer cancels, then that is written on the connection, and the state is used up
    cancelled = browser.http.get(callback, params={"state": state, "error": "access_denied"})
    assert (cancelled.status_code, "You cancelled" in cancelled.text) == (403, True)
    after = _shown(road, company, connection)
    assert after["status"] == "PendingAuth"
    assert [error["statusCode"] for error in after["dataConnectionErrors"]] == ["403"]
    replayed = browser.http.get(callback, params={"state": state, "code": "x"})
    assert (replayed.status_code, "already been used" in replayed.text) == (409, True)
    assert _shown(road, company, connection) == after
    assert _secrets(road.instance) == secrets


def test_an_answer_of_xero_that_is_loaded_again_changes_nothing(road: Road) -> None:
    tenant = road.simulator.create_organisation(
        name="Pier Coffee Ltd", country="GB", currency="GBP", demo=False, bankFeeds=True, accounts=[]
    )["tenantId"]
    road.simulator.consent_to(tenant)
    company, connection, link = road.create("Pier Coffee Ltd", "bar")
    customer = Customer()
    page = customer.authorise(link)
    answer = next(str(seen.url) for seen in page.history if seen.url.path == "/oauth/callback")
    before = _shown(road, company, connection)

    assert before["status"] == "Linked"
    again = customer.browser.get(answer)
    assert (again.status_code, again.url) == (200, page.url)
    assert Customer().browser.get(answer).status_code == 403
    assert _shown(road, company, connection) == before


def test_a_push_of_1000_answers_before_the_sdk_gives_up_cold_and_warm(road: Road) -> None:
    # Given functions that start anew, as after a deployment
    linked = road.link("Breakwater Foods Ltd", "shop")
    account, sent = linked.accounts["shop"], rows(4000)
    make_cold(road.instance, "public_api")

    # When pushes of a thousand come
    seconds = [road.platform.push(account, sent[at : at + 1000])[1] for at in range(0, 4000, 1000)]

    # Then none takes so long that the SDK gives up (`make bench` measures how long an idle machine takes)
    assert max(seconds) < SDK_GIVES_UP_SECONDS, seconds
    assert ledgers.verify_arrival("shop", sent, road.delivered(linked, len(sent))).delivered == len(sent)


def _message(linked: Linked, account: str) -> dict[str, Any]:
    names = {"companyId": linked.company, "connectionId": linked.connection, "accountId": account}
    return {"version": 1, **names, "transactions": []}


def _operation_of(road: Road, linked: Linked, account: str) -> str:
    """The operation of the message to this account: its producer gave it no key."""

    def found() -> str | None:
        operations = road.platform.http.get(f"/companies/{linked.company}/push").json()["results"]
        return next((one["pushOperationKey"] for one in operations if one["accountId"] == account), None)

    return wait_for(found, f"the operation of the message to {account}")


def _shown(road: Road, company: str, connection: str) -> dict[str, Any]:
    shown: dict[str, Any] = road.platform.http.get(f"/companies/{company}/connections/{connection}").json()
    return shown


def _secrets(instance: Instance) -> set[str]:
    """The versions of all secrets: whatever is stored makes a new one."""
    client = instance.client("secretsmanager")
    names = [found["Name"] for page in client.get_paginator("list_secrets").paginate() for found in page["SecretList"]]
    return {
        f"{name} {version['VersionId']}"
        for name in names
        for version in client.list_secret_version_ids(SecretId=name)["Versions"]
    }
