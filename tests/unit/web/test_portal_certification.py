"""Certification: each of Xero's checkpoints with its evidence or what is missing, and the same as files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedlane.events import event as event_types
from feedlane.settings import guide
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Access
from feedlane.store import keys
from feedlane.store.records import put_record
from feedlane.store.table import Add
from feedlane.upkeep.daily_round import RoundState
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from tests.builders import NOW
from tests.unit.web.portal import signed_in
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    return signed_in()


def verdicts(world: World) -> dict[int, str]:
    return {point["number"]: point["verdict"] for point in exported(world)["checkpoints"]}


def exported(world: World) -> Any:
    answer = world.browser.get("/portal/certification.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="xero-certification.json"'
    return json.loads(answer.body)


def make_ready(world: World) -> None:
    settings, profile = settings_items.settings(world.store), settings_items.profile(world.store)
    account = world.add_account()
    world.store.commit(
        settings_items.put_settings(settings.but(app_name="Ledgerly Feeds")),
        settings_items.put_profile(profile.but(support_address="help@ledgerly.example")),
        guide.put_guide(guide.Guide(bank_feeds_granted=True, bank_feeds_asked_on=NOW)),
        put_record(keys.ROUND, RoundState(day=NOW.date().isoformat())),
        Add(keys.LINKED_COUNT, "count", 3, set={"mark": "x"}),
        webhook_items.add_consumer(Consumer(id="c", url="https://example.com", created=NOW)),
    )
    world.table.items[keys.source_account(account.connection_id, account.id)]["status"] = "connected"


def test_what_is_missing_in_a_new_deployment_is_said_with_the_way_to_it(world: World) -> None:
    found = verdicts(world)
    assert sorted(found) == list(range(1, 12))
    assert {number for number, verdict in found.items() if verdict == "missing"} == {1, 3, 7, 8, 9, 10, 11}
    body = world.browser.get("/portal/certification").body
    assert "There is no support address: step 4 of the set-up." in body
    assert "Nothing is missing for 4 of 11" in body


def test_a_deployment_that_is_ready_has_evidence_for_all_and_says_what_to_attach(world: World) -> None:
    make_ready(world)
    assert set(verdicts(world).values()) == {"shown", "by hand"}
    points = {point["number"]: point for point in exported(world)["checkpoints"]}
    assert "Xero granted the scope bankfeeds when it was asked on" in " ".join(points[7]["evidence"])
    assert "3 organisations are connected." in points[3]["evidence"]
    assert points[9]["attach"]


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"access": Access.ONE_OFF}, 5),
        ({"bank_feeds": False}, 7),
        ({"app_name": ""}, 1),
    ],
)
def test_a_setting_that_the_review_forbids_is_missing_where_it_belongs(
    world: World, change: dict[str, Any], number: int
) -> None:
    make_ready(world)
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(**change)))
    assert [point for point, verdict in verdicts(world).items() if verdict == "missing"] == [number]


def test_a_daily_round_that_stands_still_and_a_consumer_that_hears_of_no_refusal_are_missing(world: World) -> None:
    make_ready(world)
    world.table.items[keys.ROUND]["day"] = "2020-01-01"
    assert {number for number, verdict in verdicts(world).items() if verdict == "missing"} >= {3, 10}
    only_some = Consumer(id="c", url="https://example.com", created=NOW, event_types=(event_types.HELD,))
    world.table.items[keys.consumer("c")]["event_types"] = list(only_some.event_types)
    assert verdicts(world)[11] == "missing"


def test_the_text_has_the_same_as_the_page(world: World) -> None:
    make_ready(world)
    answer = world.browser.get("/portal/certification.txt")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.body.startswith("Ledgerly Feeds: Xero's checkpoints for bank feeds\n")
    for point in exported(world)["checkpoints"]:
        assert f"{point['number']}. {point['title']}: {point['verdict']}" in answer.body
        assert all(line in answer.body for line in point["evidence"])


def test_the_files_are_for_operators_only(world: World) -> None:
    world.browser.jar.clear()
    for path in ("/portal/certification", "/portal/certification.json", "/portal/certification.txt"):
        assert world.browser.get(path).path == "/portal/sign-in"
