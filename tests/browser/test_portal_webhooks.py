"""Webhooks in the portal, with real deliveries to a server whose received signatures are verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from svix.webhooks import Webhook

from feedlane.clock import system_clock
from feedlane.environment import environment
from feedlane.events.event import TEST
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.replayer import Replayer
from feedlane.webhooks.sender import WebhookSender
from tests.browser import keyboard
from tests.browser.world import API_KEY, World
from tests.contract.webhooks.receiver import Receiver, running


@dataclass
class Platform:
    """The platform's endpoint, and a stand-in for `deliver_webhooks` that delivers to it."""

    link: World
    receiver: Receiver
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def deliver(self) -> None:
        """Processes the messages that are queued now, but not those that follow from them."""
        site = self.link.site
        ports = replace(site.ports, clock=lambda: self.now)
        deliverer = Deliverer(
            ports,
            secrets=lambda consumer: site.vault.webhook_secrets(consumer.id),
            headers=lambda consumer: site.vault.webhook_headers(consumer.id),
            post=WebhookSender("any", system_clock).post,
            jitter=lambda: 0.0,
        )
        for consumer_id, event_id, _ in site.queues.take("deliveries"):
            deliverer.deliver(consumer_id, event_id)
        for consumer_id, replay_id, _ in site.queues.take("replays"):
            Replayer(ports, deliverer).run_step(consumer_id, replay_id)


@pytest.fixture
def platform(link: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("WEBHOOK_TARGETS", "any")
    environment.cache_clear()
    with running() as receiver:
        yield Platform(link, receiver)
    environment.cache_clear()


def _open(link: World, page: Page) -> None:
    page.goto(f"{link.url}/portal")
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Webhooks", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Webhooks")


def _create(page: Page, url: str) -> str:
    """Creates a webhook, and returns the signing secret that is shown."""
    page.get_by_label("URL").fill(url)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Webhook created")
    secret = page.get_by_role("region", name="Signing secret").locator("p > code").inner_text()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Webhook")
    return secret


def _send_test(platform: Platform, page: Page, has_scripts: bool = True) -> str:
    """Sends a test, and returns the type of the event that arrives, signed with the secret that was shown."""
    link = platform.link
    _open(link, page)
    secret = _create(page, platform.receiver.url())
    expect(page.locator("body")).not_to_contain_text(secret)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("A test is on its way")
    table = page.get_by_role("region", name="Deliveries")
    expect(table).to_contain_text("no attempt yet")
    platform.deliver()
    if not has_scripts:
        page.reload()
    expect(table.get_by_role("row").nth(1)).to_contain_text(TEST)
    expect(table.get_by_role("row").nth(1)).to_contain_text("204")
    expect(table.get_by_role("table").get_by_text("Success", exact=True)).to_be_visible()
    [delivery] = platform.receiver.received
    Webhook(secret).verify(delivery.body, delivery.headers)
    return str(json.loads(delivery.body)["eventType"])


def test_a_consumer_is_made_tested_and_its_delivery_seen(platform: Platform, page: Page) -> None:
    assert _send_test(platform, page) == TEST


def test_it_works_without_scripts(platform: Platform, page_without_scripts: Page) -> None:
    assert _send_test(platform, page_without_scripts, has_scripts=False) == TEST


def test_what_failed_is_found_and_sent_again_by_keyboard(platform: Platform, page: Page) -> None:
    link = platform.link
    _open(link, page)
    _create(page, platform.receiver.url("/status/503"))
    page.get_by_role("button", name="Send a test").click()
    platform.deliver()
    page.get_by_label("State").select_option("Undelivered")
    page.get_by_role("button", name="Search").click()
    table = page.get_by_role("region", name="Deliveries")
    expect(table).to_contain_text("503")
    expect(table).to_contain_text("said 503")
    # The platform repairs its endpoint, and replays the events it has missed.
    [consumer] = webhook_items.consumers(link.site.store)
    link.site.store.commit(webhook_items.put_consumer(consumer.but(url=platform.receiver.url())))
    since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    page.get_by_role("link", name="Replay", exact=True).click()
    page.get_by_label("Events since (UTC)").fill(since)
    keyboard.press(page, page.get_by_role("button", name="Start the replay"))
    expect(page.get_by_role("status")).to_contain_text("The replay has started")
    platform.now += timedelta(minutes=10)
    platform.deliver()
    page.reload()
    replays = page.get_by_role("region", name="Replay")
    expect(replays.get_by_text("Done", exact=True)).to_be_visible()
    page.get_by_role("link", name="Deliveries", exact=True).click()
    deliveries = page.get_by_role("region", name="Deliveries")
    expect(deliveries.get_by_role("table").get_by_text("Success", exact=True)).to_be_visible()
    assert [delivery.path for delivery in platform.receiver.received] == ["/status/503", "/status/204"]
    ids = {delivery.headers["webhook-id"] for delivery in platform.receiver.received}
    assert len(ids) == 1


def test_it_is_disabled_and_enabled_again(platform: Platform, page: Page) -> None:
    _open(platform.link, page)
    _create(page, platform.receiver.url())
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("It was disabled manually.")).to_be_visible()
    expect(page.get_by_role("button", name="Send a test")).to_have_count(0)
    page.get_by_role("link", name="Webhooks", exact=True).click()
    expect(page.get_by_role("table").get_by_text("disabled", exact=True)).to_be_visible()
    page.get_by_role("table").get_by_role("link").click()
    keyboard.press(page, page.get_by_role("button", name="Enable"))
    expect(page.get_by_role("status")).to_contain_text("Enabled")
    assert not webhook_items.consumers(platform.link.site.store)[0].disabled
