"""Test your integration: each check alone, ok or failed with its remedy, and what is on its way looked at again."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from feedlane.companies.connection import UpstreamName
from feedlane.credentials.authorization import Verdict
from feedlane.credentials.vault import KeysCheck
from feedlane.pushes.message import QueueMessage
from feedlane.pushes.recording import record
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.store import keys
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Attempt, Delivery, DeliveryState
from tests.builders import NOW, URL
from tests.rights import acting_as
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

PATH = "/portal/set-up/test"
_CHECK = re.compile(
    r'<li><div><b><bdi class="name">(.*?)</bdi></b><p>(.*?)</p>(.*?)</div><span class="pill[^>]*>(.*?)</span>'
)


@pytest.fixture
def world() -> World:
    return signed_in()


def run(world: World) -> dict[str, tuple[str, str]]:
    answer = world.browser.post(PATH, {"formToken": world.form_token("/portal/set-up")})
    assert (answer.status, answer.path) == (303, PATH)
    return shown(world)


def shown(world: World) -> dict[str, tuple[str, str]]:
    """The outcome of each check, with what it says."""
    found = _CHECK.findall(world.browser.get(PATH).body)
    return {html.unescape(title): (outcome, html.unescape(said + remedy)) for title, said, remedy, outcome in found}


def outcomes(checks: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {title: outcome for title, (outcome, _) in checks.items()}


def receive(world: World) -> None:
    """The queue delivers the test message."""
    messages = [QueueMessage(sent["id"], sent["group"], sent["body"], NOW) for sent in world.queues.pushed]
    with acting_as("record_transactions"):
        record(world.ports, messages)


def add_consumer(world: World, **fields: Any) -> str:
    consumer = Consumer(id=world.new_id(), created=NOW, **fields)
    world.store.commit(webhook_items.add_consumer(consumer))
    return consumer.id


def attempted(world: World, consumer_id: str, state: DeliveryState, **attempt: Any) -> None:
    [event] = [event_id for consumer, event_id, _ in world.queues.deliveries if consumer == consumer_id]
    delivery = Delivery.model_validate(world.store.table.get(keys.delivery(consumer_id, event)))
    attempts = (Attempt(time=NOW, **attempt),)
    world.store.commit(webhook_items.put_delivery(delivery.but(state=state, attempts=attempts), NOW))


def test_nothing_is_said_before_there_was_a_test(world: World) -> None:
    assert shown(world) == {}
    assert "No test has been run yet" in world.browser.get(PATH).body


def test_all_is_well(world: World) -> None:
    first = run(world)
    assert first["Queue of transactions"][0] == "under way"
    assert "data-refresh" in world.browser.get(PATH).body
    receive(world)
    checks = shown(world)
    assert outcomes(checks) == {
        "Keys of the Xero app": "ok",
        "Redirect URI": "ok",
        "Scopes": "ok",
        "Link": "ok",
        "Queue of transactions": "ok",
        "Webhooks": "skipped",
        "Alarms": "ok",
        "Clock": "ok",
    }
    assert "bankfeeds" in checks["Scopes"][1]
    assert f"{URL}/oauth/callback" in checks["Redirect URI"][1]
    body = world.browser.get(PATH).body
    assert "Nothing failed" in body
    assert "data-refresh=" not in body


def test_what_is_not_well_leads_to_where_it_is_mended(world: World) -> None:
    world.site.outside.refused = {"bankfeeds"}
    run(world)
    body = world.browser.get(PATH).body
    assert 'href="/portal/set-up/bank-feeds#step-bank-feeds">Open the step' in body
    assert 'href="/portal/webhooks">Open Webhooks' in body, "there is no consumer yet"
    assert "#step-keys" not in body, "Xero knows the keys"


def test_through_codat_it_leads_to_the_steps_of_that_way(world: World) -> None:
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(upstream=UpstreamName.CODAT)))
    run(world)
    assert 'href="/portal/set-up/codat-key#step-codat-key">Open the step' in world.browser.get(PATH).body


@pytest.mark.parametrize(
    ("outside", "title", "outcome", "said"),
    [
        ({"refused": {"bankfeeds"}}, "Scopes", "failed", "Xero does not grant bankfeeds"),
        ({"refused": {"openid"}}, "Scopes", "failed", "one of openid"),
        ({"verdict": Verdict.WRONG_REDIRECT}, "Redirect URI", "failed", "Register exactly"),
        ({"verdict": Verdict.WRONG_REDIRECT}, "Scopes", "skipped", "Register the redirect URI first"),
        ({"verdict": Verdict.WRONG_CLIENT}, "Scopes", "skipped", "check it in step 2"),
        ({"verdict": Verdict.UNKNOWN}, "Redirect URI", "skipped", "Xero answered 503"),
        ({"verdict": Verdict.UNKNOWN}, "Scopes", "skipped", "did not say"),
        ({"faults": {"/oauth/callback": "it answered 502"}}, "Redirect URI", "failed", "it answered 502"),
        ({"faults": {"/start": "another program answered there"}}, "Link", "failed", "another program"),
        ({"recipients": (1, 1)}, "Alarms", "failed", "Follow the link in the mail"),
        ({"recipients": (0, 0)}, "Alarms", "skipped", "OperatorEmail"),
        ({"answered_at": NOW - timedelta(minutes=2)}, "Clock", "failed", "by 120 s"),
        ({"answered_at": NOW - timedelta(seconds=9)}, "Clock", "ok", "by 9 s"),
        ({"answered_at": None}, "Clock", "skipped", "no other clock"),
    ],
)
def test_each_fault_is_said_where_it_is_with_its_remedy(
    world: World, outside: dict[str, Any], title: str, outcome: str, said: str
) -> None:
    for name, value in outside.items():
        setattr(world.site.outside, name, value)
    checks = run(world)
    assert checks[title][0] == outcome
    assert said in checks[title][1]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (KeysCheck(ok=False), "Generate a new secret at Xero Developer"),
        (KeysCheck(ok=None, message="The keys could not be checked: no answer."), "no answer"),
    ],
)
def test_keys_that_xero_does_not_know_or_does_not_speak_of_fail(world: World, check: KeysCheck, said: str) -> None:
    world.site.vault.check = check
    outcome, text = run(world)["Keys of the Xero app"]
    assert outcome == "failed"
    assert said in text


def test_without_keys_xero_is_not_asked(world: World) -> None:
    version = settings_items.settings(world.store).version
    world.store.commit(settings_items.put_settings(Settings(version=version)))
    checks = run(world)
    assert (checks["Keys of the Xero app"][0], checks["Scopes"][0]) == ("failed", "skipped")
    assert world.site.outside.asked == []


def test_a_message_that_does_not_come_back_within_a_minute_has_failed(world: World) -> None:
    run(world)
    world.advance(seconds=61)
    assert shown(world)["Queue of transactions"][0] == "failed"
    assert "1 check failed" in world.browser.get(PATH).body


def test_each_webhook_has_a_line_of_its_own(world: World) -> None:
    good, bad, late = (add_consumer(world, url=f"https://{name}.example/") for name in ("good", "bad", "late"))
    add_consumer(world, url="https://off.example/", disabled=True)
    assert set(outcomes(run(world)).values()) == {"ok", "under way", "skipped"}
    attempted(world, good, DeliveryState.SUCCESS, status=204, duration_ms=31)
    attempted(world, bad, DeliveryState.ATTEMPTING, status=500)
    assert late
    world.advance(seconds=61)
    checks = shown(world)
    assert checks["Webhook to https://good.example/"] == ("ok", "It answered in 31 ms.")
    assert "It did not accept the test: 500" in checks["Webhook to https://bad.example/"][1]
    assert "has not been sent within a minute" in checks["Webhook to https://late.example/"][1]
    assert checks["Webhook to https://off.example/"][0] == "skipped"


def test_the_guide_is_done_with_a_test_that_passed_and_not_with_one_that_failed(world: World) -> None:
    def step() -> str:
        body = world.browser.get("/portal/set-up").body
        return body.split('id="step-enable"')[1].split("</summary>")[0]

    assert ">to do<" in step()
    run(world)
    assert ">to do<" in step()
    receive(world)
    assert ">done<" in step()
    world.site.outside.recipients = (0, 1)
    run(world)
    receive(world)
    assert ">failed<" in step()
    assert "Mend step 7" in world.browser.get("/portal/set-up").body


def test_the_clock_is_compared_when_xero_answers_however_long_the_other_checks_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*urls: str) -> list[str]:
        world.advance(seconds=90)
        return [""] * len(urls)

    monkeypatch.setattr(world.site.outside, "page_faults", slow)
    assert run(world)["Clock"] == ("ok", "It agrees with Xero’s.")
