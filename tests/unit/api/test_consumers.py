"""Webhook consumers: what is refused and why, and Feedlane's own routes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from feedlane.errors import Invalid, Unavailable
from feedlane.store import keys
from feedlane.store.table import Write
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import CONSUMERS_MAX
from feedlane.webhooks.consumers import FORMER_NAMES
from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.router import route
from tests.unit.api.conftest import Call
from tests.worlds.api import World
from tests.worlds.webhooks import hold_event

URL = "https://hooks.example.com/feeds"


def create_consumer(call: Call, **fields: Any) -> dict[str, Any]:
    created = call("POST", "/webhooks", {"url": URL} | fields)
    assert created.status == 201
    return dict(created.body)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[None]:
    """Webhooks go to public addresses only, as in a deployment."""
    hosts = {"hooks.example.com": ["93.184.215.14"], "inside.example.com": ["10.0.0.1"]}
    with monkeypatch.context() as patch:
        patch.setattr(world, "webhook_targets", "public")
        patch.setattr("feedlane.webhooks.target_urls.resolve_host", lambda host, port: hosts.get(host, [host]))
        yield


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({}, "url", "Required"),
        ({"url": 7}, "url", "string_type"),
        ({"url": "http://hooks.example.com/"}, "url", "Https"),
        ({"url": "ftp://hooks.example.com/"}, "url", "Https"),
        ({"url": "https://inside.example.com/"}, "url", "PublicAddress"),
        ({"url": "https://10.0.0.1/"}, "url", "PublicAddress"),
        ({"url": "https://169.254.169.254/latest"}, "url", "PublicAddress"),
        ({"url": "https://[::1]/"}, "url", "PublicAddress"),
        ({"url": "https://hooks.example.com/" + "x" * 2048}, "url", "MaximumLength"),
        ({"url": "https://hooks.example.com:22/"}, "url", "Port"),
        ({"url": "https://user:pass@hooks.example.com/"}, "url", "UserInfo"),
        ({"url": URL, "eventTypes": ["no.such.event"]}, "eventTypes", "Enum"),
        ({"url": URL, "eventTypes": ["bankFeeds.held", ""]}, "eventTypes", "Enum"),
        ({"url": URL, "eventTypes": ["bankTransaction.write.unsuccessful"]}, "eventTypes", "Enum"),
        ({"url": URL, "companyTags": ["untagged"]}, "companyTags", "Tag"),
        ({"url": URL, "companyTags": ["k:" + "v" * 127]}, "companyTags", "Tag"),
        ({"url": URL, "companyTags": [f"k:{n}" for n in range(11)]}, "companyTags", "MaximumCount"),
        ({"url": URL, "headers": {"Host": "elsewhere"}}, "headers.Host", "ReservedHeader"),
        ({"url": URL, "headers": {"X-Key": 7}}, "headers.X-Key", "string_type"),
    ],
)
def test_bad_input_is_a_400_that_names_the_field_and_the_rule(
    call: Call, world: World, public: None, body: dict[str, Any], field: str, rule: str
) -> None:
    refused = call("POST", "/webhooks", body)
    assert refused.status == 400
    [error] = refused.body["validation"]["errors"]
    assert (error["itemId"], error["validatorName"]) == (field, rule)
    assert webhook_items.consumers(world.store) == []
    assert world.vault.secrets == {}
    consumer = create_consumer(call)
    changes = {name: value for name, value in body.items() if value != URL}
    if body:
        assert call("PATCH", f"/webhooks/{consumer['id']}", changes).status == 400, "changing has the same rules"


def test_the_limits_themselves_are_allowed(call: Call, public: None) -> None:
    consumer = create_consumer(
        call,
        url="https://hooks.example.com:8443/" + "x" * (2048 - 31),
        companyTags=["k:" + "v" * 126, *[f"k:{n}" for n in range(9)]],
    )
    assert len(consumer["url"]) == 2048
    assert len(consumer["companyTags"]) == 10


@pytest.mark.parametrize("name", FORMER_NAMES)
def test_each_of_codats_former_names_is_taken(call: Call, name: str) -> None:
    assert create_consumer(call, eventTypes=[name])["eventTypes"] == list(FORMER_NAMES[name])


def test_two_that_come_at_once_do_not_both_fit_into_the_last_place(call: Call, world: World) -> None:
    for _ in range(CONSUMERS_MAX - 1):
        create_consumer(call)
    create_secret, has_raced = world.vault.create_webhook_secret, False

    def another_is_first(consumer_id: str) -> str:
        nonlocal has_raced
        secret: str = create_secret(consumer_id)
        if not has_raced:
            has_raced = True
            create_consumer(call)
        return secret

    world.vault.create_webhook_secret = another_is_first
    refused = call("POST", "/webhooks", {"url": URL})
    assert refused.status == 400
    assert refused.invalid_fields == ["webhooks"]
    assert len(webhook_items.consumers(world.store)) == CONSUMERS_MAX
    consumer_ids = {consumer.id for consumer in webhook_items.consumers(world.store)}
    assert world.vault.secrets.keys() == consumer_ids, "no secret is left behind"


def test_a_consumer_is_changed_by_what_is_given(call: Call, world: World) -> None:
    consumer = create_consumer(call, eventTypes=["bankFeeds.held"], companyTags=["region:uk"])
    path = f"/webhooks/{consumer['id']}"
    changed = call("PATCH", path, {"url": "https://other.example.com/", "companyTags": []})
    assert changed.status == 200
    assert (changed.body["url"], changed.body["companyTags"]) == ("https://other.example.com/", [])
    assert changed.body["eventTypes"] == ["bankFeeds.held"]
    assert "signingSecret" not in changed.body
    assert call("GET", path).body == changed.body
    for method, suffix in (("GET", ""), ("PATCH", ""), ("POST", "/enable"), ("POST", "/disable"), ("POST", "/test")):
        body = {"url": URL} if method == "PATCH" else None
        assert call(method, f"/webhooks/nobody{suffix}", body).status == 404


def test_header_values_are_the_vaults_and_never_shown(call: Call, world: World) -> None:
    consumer = create_consumer(call, headers={"Authorization": "Bearer canary-1"})
    assert consumer["headers"] == {"Authorization": "xxxxxxxxxxxx"}
    assert world.vault.headers == {consumer["id"]: {"Authorization": "Bearer canary-1"}}
    changed = call("PATCH", f"/webhooks/{consumer['id']}", {"headers": {"X-Key": "canary-2"}})
    assert changed.body["headers"] == {"X-Key": "xxxxxxxxxxxx"}
    assert world.vault.headers == {consumer["id"]: {"X-Key": "canary-2"}}
    shown = changed.text + call("GET", "/webhooks").text + str(consumer) + str(world.table.items)
    assert "canary" not in shown
    call("DELETE", f"/webhooks/{consumer['id']}")
    assert world.vault.headers == {}


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_table_that_does_not_answer_leaves_no_consumer_and_no_secret(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    """Neither if the commit failed, nor if it succeeded and only the answer was lost."""
    commit = world.table.commit

    def time_out(*writes: Write) -> None:
        monkeypatch.setattr(world.table, "commit", commit)
        if is_stored:
            commit(*writes)
        raise TimeoutError("the table does not answer")

    monkeypatch.setattr(world.table, "commit", time_out)
    assert call("POST", "/webhooks", {"url": URL}).status == 500
    assert webhook_items.consumers(world.store) == []
    assert world.vault.secrets == {}
    count = world.table.get(keys.CONSUMER_COUNT)
    assert count is None or count["count"] == 0


def test_a_vault_whose_answer_was_lost_keeps_no_secret(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_secret = world.vault.create_webhook_secret

    def lose_answer(consumer_id: str) -> str:
        create_secret(consumer_id)
        raise Unavailable("The vault did not answer (ReadTimeoutError)", 2)

    monkeypatch.setattr(world.vault, "create_webhook_secret", lose_answer)
    assert call("POST", "/webhooks", {"url": URL}).status == 503
    assert webhook_items.consumers(world.store) == []
    assert world.vault.secrets == {}


def test_headers_that_the_vault_has_no_room_for_leave_no_consumer(call: Call, world: World) -> None:
    def full(consumer_id: str, headers: dict[str, str]) -> None:
        raise Invalid.field("headers", "of all consumers together are too large", "MaximumLength")

    world.vault.set_webhook_headers = full
    assert call("POST", "/webhooks", {"url": URL, "headers": {"X-Key": "v"}}).status == 400
    assert webhook_items.consumers(world.store) == []
    assert world.vault.secrets == {}


def test_a_secret_is_rotated_and_shown_once(call: Call, world: World) -> None:
    consumer = create_consumer(call)
    rotated = call("POST", f"/webhooks/{consumer['id']}/secret/rotate")
    assert rotated.status == 200
    assert rotated.body["signingSecret"].startswith("whsec_")
    assert rotated.body["secretRotated"] is not None
    assert "signingSecret" not in call("GET", f"/webhooks/{consumer['id']}").body
    assert call("POST", "/webhooks/nobody/secret/rotate").status == 404


def test_what_a_disabled_consumer_missed_is_sent_when_it_is_enabled(call: Call, world: World) -> None:
    id = create_consumer(call)["id"]
    assert call("POST", f"/webhooks/{id}/disable").body["disabled"] is True
    route(world.ports, hold_event(), world.now)
    assert world.queues.deliveries == []
    enabled = call("POST", f"/webhooks/{id}/enable")
    assert (enabled.status, enabled.body["disabled"]) == (200, False)
    assert (enabled.body["replay"]["which"], enabled.body["replay"]["status"]) == ("waiting", "Running")
    assert world.queues.replays == [(id, enabled.body["replay"]["id"], 0)]


def test_enabling_starts_with_a_clean_sheet(call: Call, world: World) -> None:
    id = create_consumer(call)["id"]
    consumer = webhook_items.consumer(world.store, id)
    world.store.commit(
        webhook_items.put_consumer(consumer.but(disabled=True, failing_since=world.now - timedelta(days=6)))
    )
    assert call("POST", f"/webhooks/{id}/enable").body["failingSince"] is None


def test_a_test_goes_to_one_consumer_whatever_its_filters(call: Call, world: World) -> None:
    id = create_consumer(call, eventTypes=["company.created"], companyTags=["region:uk"])["id"]
    create_consumer(call)
    sent = call("POST", f"/webhooks/{id}/test")
    assert (sent.status, sent.body["eventType"], sent.body["status"]) == (202, "webhook.test", "Sending")
    assert world.queues.deliveries == [(id, sent.body["id"], 0)]
    assert call("GET", f"/webhooks/{id}/deliveries/{sent.body['id']}").body == sent.body
    delivery = webhook_items.find_attempt_inputs(world.store, id, sent.body["id"]).delivery
    assert delivery
    event = webhook_items.find_event(world.store, delivery)
    assert event
    assert event.payload["consumerId"] == id
    # The event also comes by the bus, like every event, and makes no second delivery.
    assert [delivery.consumer_id for delivery in route(world.ports, event, world.now)] == [id]


def test_a_disabled_consumer_cannot_be_tested(call: Call, world: World) -> None:
    id = create_consumer(call, disabled=True)["id"]
    assert call("POST", f"/webhooks/{id}/test").status == 409
    assert world.event_types == []


def test_deliveries_are_listed_newest_first_by_pages_and_filters(call: Call, world: World) -> None:
    id = create_consumer(call)["id"]
    for n in range(5):
        event = hold_event(f"event-{n}", world.now + timedelta(seconds=n))
        route(world.ports, event if n else event.but(company_id="another"), world.now)
    given_up = webhook_items.find_attempt_inputs(world.store, id, "event-3").delivery
    assert given_up
    world.store.commit(webhook_items.put_delivery(given_up.but(state=DeliveryState.FAILURE), world.now))

    def ids_in(page: dict[str, Any]) -> list[str]:
        return [delivery["id"] for delivery in page["results"]]

    def listed(query: str) -> list[str]:
        return ids_in(call("GET", f"/webhooks/{id}/deliveries{query}").body)

    assert listed("") == ["event-4", "event-3", "event-2", "event-1", "event-0"]
    assert listed("?status=failed") == listed("?status=Failure") == ["event-3"]
    assert listed("?companyId=another") == ["event-0"]
    assert listed("?since=2026-05-20T12:00:02Z&until=2026-05-20T12:00:03.900Z") == ["event-3", "event-2"]
    page = call("GET", f"/webhooks/{id}/deliveries?pageSize=2&status=sending").body
    assert ids_in(page) == ["event-4", "event-2"]
    page = call("GET", page["_links"]["next"]["href"]).body
    assert ids_in(page) == ["event-1", "event-0"]
    last = call("GET", page["_links"]["next"]["href"]).body
    assert (last["results"], "next" in last["_links"]) == ([], False)
    for parameter in ("status=odd", "since=odd", "since=0999-01-01", "pageSize=101", "after=odd"):
        refused = call("GET", f"/webhooks/{id}/deliveries?{parameter}")
        assert refused.status == 400
        assert refused.invalid_fields == [parameter.split("=")[0]]
    assert call("GET", "/webhooks/nobody/deliveries").status == 404
    assert listed("?since=2026-05-20T12:00:03Z&until=2026-05-20T12:00:02Z") == []


def test_a_filter_that_fits_hardly_anything_reads_only_so_many_at_a_time(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_items, "_DELIVERIES_READ_MAX", 200)
    id = create_consumer(call)["id"]
    for n in range(250):
        route(world.ports, hold_event(f"event-{n:03d}", world.now + timedelta(seconds=n)), world.now)
    page = call("GET", f"/webhooks/{id}/deliveries?companyId=nobody").body
    assert page["results"] == []
    page = call("GET", page["_links"]["next"]["href"]).body
    assert (page["results"], "next" in page["_links"]) == ([], False)
