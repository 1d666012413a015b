"""An operator's test message: it goes the way of a producer's message, is noted, and leaves nothing else behind."""

from __future__ import annotations

import json

import pytest

from feedlane.ids import new_id
from feedlane.pushes import round_trip
from feedlane.pushes.message import QueueMessage
from feedlane.pushes.recording import record
from tests.builders import NOW
from tests.rights import acting_as
from tests.worlds.feeds import World


@pytest.fixture
def world() -> World:
    return World()


def receive(world: World, *bodies: str) -> None:
    messages = [QueueMessage(f"m-{n}", round_trip.GROUP, body, NOW) for n, body in enumerate(bodies)]
    with acting_as("record_transactions"):
        record(world.ports, messages)


def test_it_is_noted_when_it_arrives_also_a_second_time_and_dropped(world: World) -> None:
    id = new_id()
    with acting_as("portal"):
        round_trip.send(world.queues, id)
        assert not round_trip.has_arrived(world.store, id)
    [sent] = [one for one in world.queues.pushed if one["group"] == round_trip.GROUP]
    before = len(world.table.items)
    receive(world, sent["body"], sent["body"])
    with acting_as("portal"):
        assert round_trip.has_arrived(world.store, id)
    assert len(world.table.items) == before + 1
    assert world.queues.dead_letters == []
    assert world.queues.woken == []


@pytest.mark.parametrize("body", ["", "[]", '{"version": 1}', '{"version": 1, "test": 5}', '{"test": "not-an-id"}'])
def test_what_is_none_goes_to_the_dead_letters_as_any_message_that_names_no_feed(world: World, body: str) -> None:
    id = new_id()
    receive(world, body, json.dumps({"version": 1, "test": id}))
    assert [letter["body"] for letter in world.queues.dead_letters] == [body]
    assert round_trip.has_arrived(world.store, id)
