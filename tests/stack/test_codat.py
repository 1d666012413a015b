"""Through Codat on the deployed stack, end to end: its hosted Link, its pushes, Xero's 403 inside one, its webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from feedlane.ids import new_id
from local.demo import ledgers, refusal
from local.demo.platform import Customer, status_of, wait_for
from local.instance import Instance
from tests.stack.codat import SECRET, beside
from tests.stack.permissions import taken_out
from tests.stack.probes import codat
from tests.stack.road import Linked, Road, make_cold, year
from tests.stack.template import Need
from tests.stack.test_webhook_alert import SvixConsumer


@pytest.fixture(scope="module")
def road(instance: Instance) -> Iterator[Road]:
    with beside(instance):
        road = Road(instance, upstream="codat")
        yield road
        road.close()


@pytest.fixture(scope="module")
def bakery(road: Road) -> Linked:
    return road.link("Harbour Bakery Ltd", "current", targets={"current": "Business Current"})


def test_a_customer_goes_through_hosted_link_and_what_is_pushed_arrives_once_and_in_order(
    road: Road, bakery: Linked
) -> None:
    # Given a customer who has been on Codat's Link: Codat has the organisation
    [there] = at_codat(road, bakery.tenant)
    assert there["status"] == "Linked"

    # When transactions come through both doors in turns
    account, sent = bakery.accounts["current"], year()[:120]
    road.push(account, sent[:50])
    road.platform.queue(account, sent[50:80])
    road.push(account, sent[80:])

    # Then all arrives through Codat, to the penny, and the operations succeed
    statements = road.delivered(bakery, len(sent))
    assert ledgers.verify_arrival("current", sent, statements).delivered == len(sent)
    assert [status_of(one) for one in road.operations(bakery.company, 3)] == ["Success"] * 3

    # And Codat's signed webhooks have rung: the deployment has taken each
    messages = wait_for(lambda: ended_messages(road), "Codat's webhooks to be taken")
    assert {one["status"] for one in messages} == {"Success"}
    assert {"connection.connected", "bankTransactions.write.successful"} <= {one["eventType"] for one in messages}


def test_xeros_403_in_a_push_operation_reaches_a_consumer_with_svix_alone_and_the_lines_arrive_after_the_release(
    road: Road,
) -> None:
    # Given a consumer that knows nothing but its secret
    consumer, http = SvixConsumer(fails=0), road.platform.http
    wanted = {"url": consumer.url, "eventTypes": ["bankFeeds.held", "bankFeeds.released"]}
    created = http.post("/webhooks", json=wanted).json()
    consumer.secret = created["signingSecret"]
    try:
        # When the organisation has no bank feeds, until it has: the demonstration verifies each of its steps
        refusal.run(road.platform, road.simulator, road.receiver)

        # Then the consumer has had the 403, with Codat's whole answer, and the release
        held, released = wait_for(lambda: two(consumer.verified), "the webhooks")
    finally:
        http.delete(f"/webhooks/{created['id']}")
        consumer.close()
    assert [held["eventType"], released["eventType"]] == wanted["eventTypes"]
    problem = held["payload"]["problem"]
    assert (problem["type"], problem["status"], problem["detail"]) == (refusal.TYPE, 403, refusal.DETAIL)
    assert "pushOperationKey" in problem["answer"]
    assert '"Failed"' in problem["answer"]
    assert road.platform.holds(held["payload"]["companyId"]) == []


def test_a_redirect_of_codats_counts_once_and_in_its_own_browser_only(road: Road, bakery: Linked) -> None:
    # Given a customer who has come back
    browser, page = bakery.customer.browser, bakery.arrival
    back = next(seen.url for seen in page.history if seen.url.path == "/oauth/callback")
    path = f"/companies/{bakery.company}/connections/{bakery.connection}"
    before = road.platform.http.get(path).json()
    assert before["status"] == "Linked"

    # When the same redirect comes again, from elsewhere, or with what it was not given, then nothing changes
    assert browser.get(back).url == page.url
    assert Customer().browser.get(back).status_code == 403
    assert browser.get(back.copy_merge_params({"companyId": new_id(), "state": "another"})).status_code == 400
    assert road.platform.http.get(path).json() == before


def test_the_route_of_codats_webhooks_takes_only_what_codat_has_signed_just_now(road: Road) -> None:
    assert httpx.post(f"{road.instance.api_url}/codat/webhooks", json={}, trust_env=False).status_code == 401
    another = "whsec_" + "A" * 32
    assert codat.send_webhook(road.instance, another, {}).status_code == 401
    assert codat.send_webhook(road.instance, SECRET, {}, age=timedelta(minutes=6)).status_code == 401
    id = f"msg_{new_id()}"
    assert [codat.send_webhook(road.instance, SECRET, {}, id=id).status_code for _ in range(2)] == [204, 204]


def test_link_needs_each_right_to_send_a_customer_to_codat(road: Road) -> None:
    _, _, link = road.create("Quay Cycles Ltd", "shop")
    needs_each(road.instance, "link", ["WriteTable", "UpdateItems", "InvokeVault"], partial(codat.opens_link, link))


def test_the_callback_needs_each_right_to_be_rung_by_codat(road: Road, bakery: Linked) -> None:
    [there] = at_codat(road, bakery.tenant)
    ring = partial(codat.rings, road.instance, there["companyId"], there["id"])
    needs_each(road.instance, "oauth_callback", ["WriteTable", "FollowUp", "InvokeVault"], ring)


def needs_each(instance: Instance, function: str, sids: list[str], probe: Callable[[], Any]) -> None:
    """The probe fails without any of these statements, and succeeds with all."""
    probe()
    for sid in sids:
        with taken_out(instance, Need(function, sid)):
            if sid == "InvokeVault":
                # What the vault has said before is in the function's memory.
                make_cold(instance, function)
            with pytest.raises(codat.Failed):
                probe()
    probe()


def at_codat(road: Road, tenant: str) -> list[dict[str, Any]]:
    connections = httpx.get(f"{road.instance.codat_simulator_url}/_simulator/connections", trust_env=False).json()
    return [one for one in connections["connections"] if one["tenantId"] == tenant]


def ended_messages(road: Road) -> list[dict[str, Any]] | None:
    """Codat's webhooks, once none is still to be sent."""
    answer = httpx.get(f"{road.instance.codat_simulator_url}/_simulator/messages", trust_env=False).json()
    messages: list[dict[str, Any]] = answer["messages"]
    return messages if all(one["nextAt"] is None for one in messages) else None


def two(events: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return events if len(events) == 2 else None
