"""The portal's webhook pages: what they show, what their forms do, and what they never reveal."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from feedlane.environment import environment
from feedlane.errors import Unavailable
from feedlane.events.event import TEST
from feedlane.events.outbox import put_event
from feedlane.store import keys
from feedlane.store.table import Write
from feedlane.webhooks import consumers
from feedlane.webhooks import events as webhook_events
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.deliverer import consumer_after
from feedlane.webhooks.delivery import Answer, Delivery
from feedlane.webhooks.replay import Selection
from tests import builders
from tests.builders import NOW
from tests.worlds.web import API_KEY, World

LIST = "/portal/webhooks"
URL = "https://platform.example.com/hooks"
BROKEN = Answer(status=500, excerpt="<b>oops</b>", duration_ms=30)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("WEBHOOK_TARGETS", "any")
    environment.cache_clear()
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    yield world
    environment.cache_clear()


def _post(world: World, path: str, **fields: str):  # type: ignore[no-untyped-def]
    return world.browser.post(path, {"formToken": world.form_token("/portal/profile")} | fields)


def test_a_table_that_does_not_answer_leaves_no_consumer_and_no_secret(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consumer was stored and only the answer was lost: nobody has seen its secret."""
    commit, forgotten = world.table.commit, list[str]()

    def lose_answer(*writes: Write) -> None:
        commit(*writes)
        if any(write.key == keys.CONSUMER_COUNT for write in writes):
            monkeypatch.setattr(world.table, "commit", commit)
            raise TimeoutError("the table does not answer")

    monkeypatch.setattr(world.table, "commit", lose_answer)
    world.site.vault.on_delete = forgotten.append
    assert _post(world, LIST, url=URL).status == 500
    assert webhook_items.consumers(world.store) == []
    assert len(forgotten) == 1


def _consumer(world: World, id: str = "consumer-1", **fields: object) -> Consumer:
    consumer = Consumer(id=id, url=URL, created=NOW).but(**fields)
    world.store.commit(webhook_items.add_consumer(consumer))
    return consumer


def _delivered(world: World, consumer: Consumer, number: int, *answers: Answer) -> Delivery:
    at = NOW + timedelta(minutes=number)
    event = webhook_events.consumer_test(builders.ports(lambda: f"event-{number}"), consumer, at)
    delivery = Delivery.of(event, consumer.id)
    for answer in answers:
        delivery = delivery.after_attempt(answer, at, 0.0)
    world.store.commit(put_event(event), webhook_items.put_delivery(delivery, at))
    return delivery


def test_a_consumer_is_created_and_its_secret_is_shown_by_that_answer_alone(world: World) -> None:
    created = _post(world, LIST, url=URL, company_tags="region:uk plan:gold", event_types="company.created")
    [consumer] = webhook_items.consumers(world.store)
    assert created.status == 201
    assert f"whsec_of_{consumer.id}" in created.body
    assert created.headers["Cache-Control"] == "no-store"
    assert (consumer.url, consumer.company_tags, consumer.event_types) == (
        URL, ("region:uk", "plan:gold"), ("company.created",),
    )  # fmt: skip
    for path in (LIST, f"{LIST}/{consumer.id}"):
        response = world.browser.get(path)
        assert response.status == 200
        assert URL in response.body
        assert "whsec_" not in response.body


def test_the_code_that_verifies_a_webhook_runs_as_it_is_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It used a module that it did not import."""
    shown = re.search(r'data-copy="the code"><code>(.*?)</code>', _post(world, LIST, url=URL).body, re.DOTALL)
    assert shown
    names: dict[str, Any] = {}
    exec(html.unescape(shown[1]), names)
    secret, time, payload = "whsec_" + base64.b64encode(b"x" * 32).decode(), datetime.now(UTC), '{"id": "e"}'
    monkeypatch.setenv("FEEDLANE_WEBHOOK_SECRET", secret)
    headers = {
        "webhook-id": "e",
        "webhook-timestamp": str(int(time.timestamp())),
        "webhook-signature": Webhook(secret).sign("e", time, payload),
    }
    assert names["receive"](payload.encode(), headers) == {"id": "e"}


@pytest.mark.parametrize("path", [LIST, "/portal/webhooks/events"])
def test_events_are_grouped_and_have_the_names_that_the_activity_gives_them(world: World, path: str) -> None:
    body = world.browser.get(path).body
    for text in ("Accounts and feeds", "Gap found: transactions may be missing", "Push failed", "bankFeeds.gapFound"):
        assert text in body, text


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("url", "not a url", "URL "),
        ("event_types", "no.such.event", "Events:"),
        ("company_tags", "untagged", "Company"),
    ],
)
def test_what_is_wrong_with_a_new_consumer_is_said_and_what_was_entered_stays(
    world: World, field: str, value: str, message: str
) -> None:
    response = _post(world, LIST, **({"url": URL} | {field: value}))
    assert response.status == 422
    assert message in response.body.split('role="alert"')[1].split("</div>")[0]
    assert field == "event_types" or value in response.body
    assert webhook_items.consumers(world.store) == []


def test_no_consumer_comes_of_a_vault_that_does_not_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(consumer_id: str) -> str:
        raise Unavailable("busy", 2)

    monkeypatch.setattr(world.site.vault, "create_webhook_secret", busy)
    response = _post(world, LIST, url=URL)
    assert (response.status, webhook_items.consumers(world.store)) == (503, [])
    assert "the webhook was not added" in response.body


@pytest.mark.parametrize(
    ("answer", "message"), [(Answer(status=410), "410 Gone"), (Answer(status=500), "failed for five days")]
)
def test_a_consumer_that_was_disabled_says_why(world: World, answer: Answer, message: str) -> None:
    consumer = _consumer(world, failing_since=NOW - timedelta(days=6))
    world.store.commit(webhook_items.put_consumer(consumer_after(consumer, answer, NOW)))
    for path in (LIST, f"{LIST}/consumer-1"):
        body = world.browser.get(path).body
        assert message in body
        assert '<span class="pill bad">disabled</span>' in body


def test_who_was_disabled_by_somebody_is_told_from_who_failed(world: World) -> None:
    _consumer(world)
    consumers.disable(world.store, "consumer-1")
    assert "It was disabled manually." in world.browser.get(f"{LIST}/consumer-1").body
    consumers.enable(world.ports, NOW, "consumer-1")
    body = world.browser.get(f"{LIST}/consumer-1").body
    assert "It was disabled manually." not in body
    assert '<span class="pill good">enabled</span>' in body


def test_one_that_fails_says_since_when(world: World) -> None:
    _consumer(world, failing_since=NOW - timedelta(days=2))
    body = world.browser.get(LIST).body
    assert re.search(
        r'Failing since <time datetime="2026-05-18T12:00:00.000Z"[^>]*>18 May 2026, 12:00 UTC</time>', body
    )


def test_deliveries_are_shown_newest_first_with_how_they_went(world: World) -> None:
    consumer = _consumer(world)
    _delivered(world, consumer, 1, Answer(status=204))
    _delivered(world, consumer, 2, BROKEN)
    _delivered(world, consumer, 3, Answer(error="timeout"))
    body = world.browser.get(f"{LIST}/consumer-1").body
    assert re.findall(r"event-\d(?=</span>)", body) == ["event-3", "event-2", "event-1"]
    assert "timed out" in body
    # An endpoint's answer is shown as text, not as HTML.
    assert "&lt;b&gt;oops&lt;/b&gt;" in body
    failed = world.browser.get(f"{LIST}/consumer-1?state=failed").body
    assert re.findall(r"event-\d(?=</span>)", failed) == ["event-3", "event-2"]


def test_the_list_goes_on_where_a_page_ends(world: World) -> None:
    consumer = _consumer(world)
    for number in range(25):
        _delivered(world, consumer, number, Answer(status=204))
    first = world.browser.get(f"{LIST}/consumer-1").body
    [next_url] = re.findall(r'href="(/portal/webhooks/consumer-1\?after=[^"]+)"', first)
    second = world.browser.get(next_url.replace("&amp;", "&")).body
    shown = [re.findall(r"event-\d+(?=</span>)", body) for body in (first, second)]
    assert [int(event_id.split("-")[1]) for page in shown for event_id in page] == list(range(24, -1, -1))
    assert "?after=" not in second


def test_a_test_is_sent(world: World) -> None:
    _consumer(world)
    response = _post(world, f"{LIST}/consumer-1/test")
    [(consumer, event_id, delay)] = world.queues.deliveries
    assert (response.status, response.path) == (303, f"{LIST}/consumer-1")
    assert response.query == {"done": "tested", "event": event_id}
    assert (consumer, delay) == ("consumer-1", 0)
    assert world.event_types == [TEST]
    body = world.browser.get(response.location).body
    assert body.count(f'class="code">{event_id}</span>') == 1
    assert 'data-refresh="The list of deliveries has changed."' in body


def test_it_is_disabled_and_enabled(world: World) -> None:
    _consumer(world)
    assert _post(world, f"{LIST}/consumer-1/disable").status == 303
    assert webhook_items.consumer(world.store, "consumer-1").disabled
    response = _post(world, f"{LIST}/consumer-1/test")
    assert response.status == 409
    assert "enable it first" in response.body
    assert _post(world, f"{LIST}/consumer-1/enable").status == 303
    assert not webhook_items.consumer(world.store, "consumer-1").disabled
    [replay] = webhook_items.replays_of(world.store, "consumer-1")
    assert replay.which is Selection.WAITING
    assert "waiting events" in world.browser.get(f"{LIST}/consumer-1/replays").body


@pytest.mark.parametrize("which", ["failed", "all"])
def test_a_replay_since_a_time_is_started(world: World, which: str) -> None:
    _consumer(world)
    response = _post(world, f"{LIST}/consumer-1/replays", since="2026-05-20T08:00", which=which)
    assert response.query == {"done": "replaying"}
    [replay] = webhook_items.replays_of(world.store, "consumer-1")
    assert (replay.which, replay.since) == (which, NOW.replace(hour=8, minute=0))
    assert world.queues.replays == [("consumer-1", replay.id, 0)]
    assert '<span class="pill warn">Running</span>' in world.browser.get(response.location).body


@pytest.mark.parametrize("since", ["", "yesterday", "2026-05-13T08:00"])
def test_a_time_that_is_none_or_has_not_come_starts_nothing(world: World, since: str) -> None:
    world.now = datetime(2026, 5, 12, tzinfo=UTC)
    _consumer(world)
    response = _post(world, f"{LIST}/consumer-1/replays", since=since)
    assert response.status == 422
    assert 'role="alert"' in response.body
    assert list(webhook_items.replays_of(world.store, "consumer-1")) == []


def test_one_delivery_is_sent_again(world: World) -> None:
    consumer = _consumer(world)
    _delivered(world, consumer, 1, Answer(status=204))
    assert _post(world, f"{LIST}/consumer-1/deliveries/event-1/replay").query == {"done": "again"}
    assert ("consumer-1", "event-1", 0) in world.queues.deliveries


@pytest.mark.parametrize(
    "path",
    ["", "/consumer-1/test", "/consumer-1/enable", "/consumer-1/disable", "/consumer-1/replays",
     "/consumer-1/deliveries/event-1/replay"],
)  # fmt: skip
def test_a_form_from_elsewhere_and_a_stranger_do_nothing(world: World, path: str) -> None:
    consumer = _consumer(world)
    _delivered(world, consumer, 1, BROKEN)
    form = {"url": URL, "since": "2026-05-20T08:00"}
    before = world.stored()
    assert world.browser.post(LIST + path, form | {"formToken": "forged"}).status == 403
    token = world.form_token("/portal/profile")
    response = world.browser.post(LIST + path, form | {"formToken": token}, headers={"sec-fetch-site": "cross-site"})
    assert response.status == 403
    world.browser.jar.clear()
    response = world.browser.post(LIST + path, form)
    assert response.status == 401 if path in ("", "/consumer-1/replays") else response.path == "/portal/sign-in"
    assert world.stored() == before
    assert (world.queues.deliveries, world.queues.replays) == ([], [])


def test_consumers_that_are_not_there_have_no_page(world: World) -> None:
    assert world.browser.get(f"{LIST}/nobody").status == 404
    assert _post(world, f"{LIST}/nobody/test").status == 404
    _consumer(world)
    assert _post(world, f"{LIST}/consumer-1/deliveries/none/replay").status == 404


@pytest.mark.parametrize(("cursor", "status"), [("zz%0A", 400), ("x" * 600, 400), ("%00", 400), ("2026", 200)])
def test_a_place_that_can_be_none_of_ours_is_refused_on_a_page(world: World, cursor: str, status: int) -> None:
    consumer = _consumer(world)
    _delivered(world, consumer, 1, BROKEN)
    assert world.browser.get(f"{LIST}/consumer-1?after={cursor}").status == status


def test_strangers_see_nothing(world: World) -> None:
    _consumer(world)
    world.browser.jar.clear()
    for path in (LIST, f"{LIST}/consumer-1"):
        assert world.browser.get(path).path == "/portal/sign-in"
