"""Every consumer that wants an event gets one delivery, even if the event comes twice or a function crashes."""

from __future__ import annotations

import pytest

from feedlane.events import event as event_types
from feedlane.events.envelope import bus_detail, event_from_detail
from feedlane.events.event import Event
from feedlane.events.outbox import event_key, put_event
from feedlane.money import loads
from feedlane.store.table import ConditionFailed, Index, Write
from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.router import route, route_all
from tests.builders import NOW
from tests.rights import acting_as
from tests.worlds.webhooks import World, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_only_consumers_that_want_the_event_have_a_delivery(world: World) -> None:
    world.consumer("all")
    world.consumer("held", event_types=(event_types.HELD,))
    world.consumer("others", event_types=(event_types.WRITE_SUCCESSFUL,))
    world.consumer("uk", company_tags=("region:uk", "region:ie"))
    world.consumer("fr", company_tags=("region:fr",))
    world.happens(hold_event())
    assert {consumer_id for consumer_id, *_ in world.queues.deliveries} == {"all", "held", "uk"}


def test_what_concerns_no_one_company_passes_every_filter_of_tags(world: World) -> None:
    """Above all, a refusal of the whole app."""
    world.consumer("uk", company_tags=("region:uk",))
    world.consumer("fr", company_tags=("region:fr",), event_types=(event_types.WRITE_SUCCESSFUL,))
    world.happens(hold_event().but(company_id=None, company_tags={}))
    assert [consumer_id for consumer_id, *_ in world.queues.deliveries] == ["uk"]


def test_an_event_that_comes_again_makes_no_second_delivery(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.work_off()
    route(world.ports, hold_event(), world.now)
    world.work_off()
    assert len(world.posts) == 1


def test_a_crash_before_the_message_is_made_good_when_the_event_comes_again(world: World) -> None:
    world.consumer("consumer-1")
    world.consumer("consumer-2")
    send, sent = world.queues.deliver, []

    def crash(consumer_id: str, event_id: str, delay: int) -> None:
        if len(sent) == 1:
            sent.append("crashed")
            raise KeyboardInterrupt
        sent.append(consumer_id)
        send(consumer_id, event_id, delay)

    world.queues.deliver = crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.happens(hold_event())
    route(world.ports, hold_event(), world.now)
    world.work_off()
    assert sorted(url for _, url, *_ in world.posts) == [
        "https://consumer-1.example/hooks",
        "https://consumer-2.example/hooks",
    ]


def test_a_consumer_created_between_two_tries_has_its_delivery_too(world: World) -> None:
    world.consumer("consumer-1")
    world.happens(hold_event())
    world.consumer("consumer-2")
    deliveries = route(world.ports, hold_event(), world.now)
    assert {delivery.consumer_id for delivery in deliveries} == {"consumer-1", "consumer-2"}


def test_a_consumer_enabled_at_that_moment_is_sent_the_event(world: World) -> None:
    world.consumer(disabled=True)
    commit, raced = world.table.commit, []

    def race(*writes: Write) -> None:
        if not raced and len(writes) == 3:
            raced.append(True)
            with acting_as():
                world.change(disabled=False)
        commit(*writes)

    world.table.commit = race  # type: ignore[method-assign]
    world.happens(hold_event())
    assert world.delivery().state is DeliveryState.SENDING
    assert world.queues.deliveries == [("consumer-1", "event-1", 0)]


def test_fifty_consumers_fit_into_one_commit(world: World) -> None:
    for number in range(50):
        world.consumer(f"consumer-{number}", disabled=True)
    world.happens(hold_event())
    assert sum(item["pk"].startswith("CONSUMER#") for item in world.table.items.values()) == 50


def test_what_routing_needs_survives_the_bus() -> None:
    event = hold_event()
    received = event_from_detail(loads(bus_detail(event)))
    assert received == event.but(payload={})


def test_deliveries_are_kept_for_thirty_days(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    [item] = [item for item in world.table.items.values() if item["pk"] == "CONSUMER#consumer-1"]
    assert item["expires_at"] == int(NOW.timestamp()) + 30 * 86_400


def test_a_batch_of_new_events_is_recorded_in_one_commit(world: World) -> None:
    consumers = [world.consumer("consumer-1"), world.consumer("consumer-2").but(disabled=True)]
    events = [_recorded(world, number) for number in range(10)]
    commits = _counted_commits(world)
    assert route_all(world.ports, [*events, events[0]], world.now, consumers) == {event.id: 2 for event in events}
    assert len(commits) == 1
    assert [sent[:2] for sent in world.queues.deliveries] == [("consumer-1", event.id) for event in events]
    assert all(_is_off_the_due_index(world, event) for event in events)


def test_a_batch_that_no_consumer_wants_is_one_commit_too(world: World) -> None:
    events = [_recorded(world, number) for number in range(10)]
    commits = _counted_commits(world)
    assert route_all(world.ports, events, world.now, []) == {event.id: 0 for event in events}
    assert len(commits) == 1


def test_more_deliveries_than_fit_into_a_commit_take_several(world: World) -> None:
    consumers = [world.consumer(f"consumer-{number}") for number in range(30)]
    events = [_recorded(world, number) for number in range(10)]
    commits = _counted_commits(world)
    route_all(world.ports, events, world.now, consumers)
    assert [len(commit) for commit in commits] == [93, 93, 93, 31]


def test_a_batch_with_an_event_that_came_before_is_refused_as_a_whole(world: World) -> None:
    consumers = [world.consumer()]
    events = [_recorded(world, number) for number in range(3)]
    route(world.ports, events[1], world.now)
    with pytest.raises(ConditionFailed):
        route_all(world.ports, events, world.now, consumers)
    assert len(world.queues.deliveries) == 1


def _recorded(world: World, number: int) -> Event:
    event = hold_event(f"event-{number}", world.now)
    world.store.commit(put_event(event))
    return event


def _counted_commits(world: World) -> list[tuple[Write, ...]]:
    commit, commits = world.table.commit, []

    def counted(*writes: Write) -> None:
        commits.append(writes)
        commit(*writes)

    world.table.commit = counted  # type: ignore[method-assign]
    return commits


def _is_off_the_due_index(world: World, event: Event) -> bool:
    return not set(Index.DUE.keys) & set(world.table.items[event_key(event)])
