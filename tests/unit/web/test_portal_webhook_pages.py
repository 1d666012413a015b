"""The pages of a webhook consumer: its settings, its secret, a delivery, and the catalogue of events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import jsonschema
import pytest

from checks.event_catalogue import CATALOGUE, catalogue
from feedlane.environment import environment
from feedlane.events.event import ALL_TYPES, Event
from feedlane.events.outbox import put_event
from feedlane.web.portal.webhooks import event_catalogue
from feedlane.webhooks import events as webhook_events
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.attempt_counts import count_attempt
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Answer, Delivery
from tests import builders
from tests.builders import NOW
from tests.unit.web.portal import signed_in
from tests.worlds.web import API_KEY, World

LIST = "/portal/webhooks"
URL = "https://platform.example.com/hooks"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("WEBHOOK_TARGETS", "any")
    environment.cache_clear()
    yield signed_in()
    environment.cache_clear()


def _post(world: World, path: str, **fields: str):  # type: ignore[no-untyped-def]
    return world.browser.post(path, {"formToken": world.form_token("/portal/profile")} | fields)


def _consumer(world: World, number: int = 1, **fields: object) -> Consumer:
    id = f"consumer-{number}"
    consumer = Consumer(id=id, url=f"https://{id}.example/hooks", created=NOW + timedelta(seconds=number)).but(**fields)
    world.store.commit(*webhook_items.add_counted_consumer(consumer, 50))
    return consumer


def _delivered(world: World, consumer: Consumer, *answers: Answer) -> Delivery:
    event = webhook_events.consumer_test(builders.ports(lambda: "event-1"), consumer, NOW)
    delivery = Delivery.of(event, consumer.id)
    for answer in answers:
        delivery = delivery.after_attempt(answer, NOW, 0.0)
    world.store.commit(put_event(event), webhook_items.put_delivery(delivery, NOW))
    return delivery


def test_the_list_is_searched_filtered_and_paged(world: World) -> None:
    for number in range(30):
        _consumer(world, number, disabled=number == 7)
    first = world.browser.get(LIST).body
    assert "25 of 30 consumers" in first
    [path] = re.findall(r'href="([^"]+)" rel="next"', first)
    assert "5 of 30" in world.browser.get(unescape(path)).body
    assert re.findall(r"consumer-\d+(?=\.example/hooks</a>)", world.browser.get(f"{LIST}?state=disabled").body) == [
        "consumer-7"
    ]
    assert "https://consumer-12.example" in world.browser.get(f"{LIST}?q=CONSUMER-12").body
    assert "No consumer fits" in world.browser.get(f"{LIST}?q=nothing").body


def test_the_list_says_how_the_last_day_went(world: World) -> None:
    delivery = _delivered(world, _consumer(world), Answer(status=204))
    for answer in [Answer(status=200)] * 97 + [Answer(error="timeout")] * 3:
        world.store.commit(count_attempt(delivery, answer, NOW))
    body = world.browser.get(LIST).body
    assert "97% <small>of 100 attempts</small>" in body
    assert "timed out" in body
    world.advance(hours=30)
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    later = world.browser.get(LIST).body
    assert "97%" not in later
    assert "timed out" in later


def test_a_deliverys_page_has_payload_headers_attempts_and_curl(world: World) -> None:
    consumer = _consumer(world, header_names=("Authorization",))
    _delivered(world, consumer, Answer(status=500, excerpt="<b>oops</b>", duration_ms=1234), Answer(error="tls"))
    body = unescape(world.browser.get(f"{LIST}/consumer-1/deliveries/event-1").body)
    for text in ("webhook.test", "1,234", "<b>oops</b>", "TLS failed", "webhook-signature", "Authorization",
                 "curl https://consumer-1.example/hooks", '"eventType": "webhook.test"', "Send again"):  # fmt: skip
        assert text in body, text
    assert "data-refresh" in body
    assert world.browser.get(f"{LIST}/consumer-1/deliveries/none").status == 404
    assert _post(world, f"{LIST}/consumer-1/deliveries/event-1/replay").query == {"done": "again"}


def test_an_events_id_leads_to_its_delivery(world: World) -> None:
    _delivered(world, _consumer(world), Answer(status=204))
    for path in (f"{LIST}/consumer-1?q=event-1", "/portal/search?q=event-1"):
        assert world.browser.get(path).path == f"{LIST}/consumer-1/deliveries/event-1"
    assert "No delivery fits" in world.browser.get(f"{LIST}/consumer-1?q=other").body


@pytest.mark.parametrize(
    ("query", "shown"),
    [("state=Success", True), ("state=Failure", False), ("type=webhook.test", True), ("type=company.created", False),
     ("company=c-1", False), ("since=2026-05-20T08:00", True), ("since=2026-05-21T08:00", False),
     ("until=2026-05-19T08:00", False)],
)  # fmt: skip
def test_deliveries_are_filtered(world: World, query: str, shown: bool) -> None:
    _delivered(world, _consumer(world), Answer(status=204))
    assert ("/deliveries/event-1" in world.browser.get(f"{LIST}/consumer-1?{query}").body) is shown


def test_a_filter_that_is_no_time_says_so_beside_its_field(world: World) -> None:
    _consumer(world)
    body = world.browser.get(f"{LIST}/consumer-1?since=tomorrow").body
    assert '<a href="#since">From must be a date and time.</a>' in body


def test_its_settings_are_changed(world: World) -> None:
    _consumer(world)
    page = f"{LIST}/consumer-1/settings"
    answer = _post(world, page, url=URL, company_tags="region:uk", event_types="company.created", headers="X-Key: a b")
    assert (answer.status, answer.query) == (303, {"done": "saved"})
    consumer = webhook_items.consumer(world.store, "consumer-1")
    assert (consumer.url, consumer.company_tags, consumer.event_types) == (URL, ("region:uk",), ("company.created",))
    assert consumer.header_names == ("X-Key",)
    assert world.site.vault.webhook_headers == {"consumer-1": {"X-Key": "a b"}}
    assert "a b" not in world.browser.get(page).body
    _post(world, page, url=URL)
    assert webhook_items.consumer(world.store, "consumer-1").header_names == ("X-Key",)
    _post(world, page, url=URL, remove_headers="yes")
    assert webhook_items.consumer(world.store, "consumer-1").header_names == ()


@pytest.mark.parametrize(
    ("field", "value"), [("url", "ftp://x"), ("company_tags", "none"), ("headers", "x"), ("headers", "Host: x")]
)
def test_a_setting_that_cannot_be_is_said_beside_its_field(world: World, field: str, value: str) -> None:
    _consumer(world)
    answer = _post(world, f"{LIST}/consumer-1/settings", **({"url": URL} | {field: value}))
    assert answer.status == 422
    assert f'<a href="#{field}">' in answer.body


def test_its_secret_is_rotated_and_shown_once(world: World) -> None:
    _consumer(world)
    answer = _post(world, f"{LIST}/consumer-1/secret")
    assert "whsec_of_consumer-1" in answer.body
    assert "standardwebhooks" in answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    assert webhook_items.consumer(world.store, "consumer-1").secret_rotated is not None


def test_it_is_deleted_once_that_is_confirmed(world: World) -> None:
    _consumer(world)
    unsure = _post(world, f"{LIST}/consumer-1/delete")
    assert (unsure.status, "Tick that" in unsure.body) == (422, True)
    assert _post(world, f"{LIST}/consumer-1/delete", confirmed="yes").query == {"done": "deleted"}
    assert webhook_items.consumers(world.store) == []
    assert world.browser.get(f"{LIST}/consumer-1").status == 404


def test_the_catalogue_has_every_event_with_a_sample_that_its_schema_allows(world: World) -> None:
    body = world.browser.get(f"{LIST}/events").body
    for type in ALL_TYPES:
        assert f'href="{LIST}/events/{type}"' in body
        jsonschema.validate(event_catalogue.sample_of(event_catalogue.schemas()[type]), event_catalogue.schemas()[type])
    page = unescape(world.browser.get(f"{LIST}/events/bankFeeds.held").body)
    assert '"eventType": "bankFeeds.held"' in page
    assert world.browser.get(f"{LIST}/events/none").status == 404


def test_the_catalogue_is_as_published() -> None:
    assert Path(CATALOGUE).read_text() == catalogue(), "run: python -m checks.event_catalogue"
    assert set(json.loads(catalogue())) == set(ALL_TYPES)


def test_a_delivery_names_the_company_that_its_event_is_about(world: World) -> None:
    consumer, company_id = _consumer(world), world.connection.company_id
    event = Event(
        id="event-2", type="company.created", time=NOW, subject=company_id, company_id=company_id, payload={"a": 1}
    )
    world.store.commit(put_event(event), webhook_items.put_delivery(Delivery.of(event, consumer.id), NOW))
    body = world.browser.get(f"{LIST}/{consumer.id}/deliveries/event-2").body
    assert f'href="/portal/companies/{company_id}"><bdi class="name">Harbour Bakery' in body
