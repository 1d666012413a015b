"""The command line against the handler, and against a table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from codat_bankfeeds import CodatBankFeeds

from cli import api_keys
from cli.__main__ import cli
from feedlane.companies import items as company_items
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.scope import Scope
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.delivery import Answer, Delivery, DeliveryState
from feedlane.webhooks.replayer import Replayer
from feedlane.webhooks.router import route
from tests.contract.sdk.api_server import ApiServer
from tests.contract.sdk.test_bank_feeds import create_account, map_account
from tests.contract.sdk.test_edges import NO_FEEDS
from tests.worlds.api import KEY, World
from tests.worlds.webhooks import hold_event


@pytest.fixture
def run(server: ApiServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FEEDLANE_API_URL", server.url)
    monkeypatch.setenv("FEEDLANE_API_KEY", KEY)
    return lambda *arguments: CliRunner().invoke(cli, arguments)


def test_feeds_and_holds_are_listed_and_released(run, sdk: CodatBankFeeds, ids: dict[str, str], world: World) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    [feed] = feed_items.find_feeds(world.store, company_items.account_feed_ids(world.store, "", 10))
    world.add_hold(Scope.FEED, feed.id, reason="statement-rejected", problem=NO_FEEDS, company_id=ids["company_id"])
    world.store.commit(feed_items.put_feed(feed.but(recorded_through=2)))
    assert f"{feed.id}  2  0  2  held: statement-rejected" in run("feeds", "list").output
    assert run("feeds", "list", "--company", "nobody").output == ""
    listed = run("holds", "list").output
    assert listed.startswith("hold-1  feed  ")
    assert NO_FEEDS.detail in listed
    assert "1 push operation started" in run("holds", "release", "hold-1").output
    assert run("holds", "list").output == ""
    assert run("feeds", "release", feed.id).exit_code == 0


@pytest.fixture
def webhooks(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the webhooks that a consumer received. The queues are worked off while a command waits."""
    posted: list[str] = []

    def post(url: str, headers: dict[str, str], body: bytes) -> Answer:
        posted.append(headers["webhook-id"])
        return Answer(status=204, duration_ms=7)

    deliverer = Deliverer(world.ports,
        secrets=lambda consumer: [world.vault.secrets[consumer.id]], post=post,
        jitter=lambda: 0.0, headers=lambda consumer: {},
    )  # fmt: skip

    def work_off_queues(seconds: float) -> None:
        world.now += timedelta(seconds=60)
        for consumer_id, replay_id, _ in world.queues.take("replays"):
            Replayer(world.ports, deliverer).run_step(consumer_id, replay_id)
        for consumer_id, event_id, _ in world.queues.take("deliveries"):
            deliverer.deliver(consumer_id, event_id)

    monkeypatch.setattr("cli.webhooks.time.sleep", work_off_queues)
    secret = world.vault.create_webhook_secret("hook-1")
    assert secret
    consumer = Consumer(id="hook-1", url="https://hooks.example.com/in?key=secret", created=world.now)
    world.store.commit(webhook_items.add_consumer(consumer))
    return posted


def test_webhooks_are_replayed_and_waited_for(run, world: World, webhooks: list[str]) -> None:
    for n in range(3):
        event = hold_event(f"event-{n}", world.now + timedelta(seconds=n))
        delivery = Delivery.of(event, "hook-1").but(state=DeliveryState.FAILURE)
        world.store.commit(put_event(event), webhook_items.put_delivery(delivery, world.now))
    world.now += timedelta(minutes=1)
    assert run("webhooks", "list").output == "hook-1  enabled  -  https://hooks.example.com/in\n"
    listed = run("webhooks", "deliveries", "hook-1", "--failed").output
    assert [line.split()[0] for line in listed.splitlines()] == ["event-2", "event-1", "event-0"]
    replayed = run("webhooks", "replay", "hook-1", "--since", "2026-05-20T00:00:00Z")
    assert "Done  3 sent, 0 failed" in replayed.output
    assert webhooks == ["event-0", "event-1", "event-2"]
    assert run("webhooks", "deliveries", "hook-1", "--failed").output == ""
    assert run("webhooks", "replay", "hook-1", "--delivery", "event-1").output == "event-1  Sending\n"
    started = run("webhooks", "replay", "hook-1", "--since", "2026-05-20T00:00:00Z", "--all", "--no-wait")
    assert "Running" in started.output
    for options in (["--since", "soon"], [], ["--since", "2026-05-20T00:00:00Z", "--delivery", "event-1"]):
        assert run("webhooks", "replay", "hook-1", *options).exit_code != 0


def test_a_consumer_is_tested_rotated_disabled_and_enabled(run, world: World, webhooks: list[str]) -> None:
    tested = run("webhooks", "test", "hook-1")
    assert tested.exit_code == 0
    assert tested.output == f"{webhooks[0]}  204  7 ms\n"
    assert run("webhooks", "rotate-secret", "hook-1").output.startswith("whsec_")
    assert run("webhooks", "disable", "hook-1").exit_code == 0
    assert "  disabled  " in run("webhooks", "list").output
    assert run("webhooks", "test", "hook-1").exit_code == 1
    route(world.ports, hold_event("missed", world.now), world.now)
    world.store.commit(put_event(hold_event("missed", world.now)))
    world.now += timedelta(minutes=1)
    assert "Done  1 sent, 0 failed" in run("webhooks", "enable", "hook-1").output
    assert webhooks[-1] == "missed"


def test_what_the_api_refuses_ends_the_command_with_its_words(run, world: World) -> None:
    refused = run("holds", "release", "nothing")
    assert refused.exit_code == 1
    assert "404: No hold was found with ID nothing" in refused.output


def test_a_key_is_made_straight_in_the_table(run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "_store", lambda table: world.store)
    created = run("api-key", "create", "--table", "feedlane", "--name", "first")
    assert created.exit_code == 0
    monkeypatch.setenv("FEEDLANE_API_KEY", created.output.strip())
    assert run("holds", "list").exit_code == 0
    listed = run("api-key", "list", "--table", "feedlane").output
    assert created.output.strip() not in listed
    assert "first" in listed
    assert run("api-key", "create", "--table", "feedlane", "--name", "").exit_code == 1
