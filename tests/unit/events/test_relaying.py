"""From the outbox to the bus: no event is lost, and none overtakes another of its subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from feedlane.events.envelope import event_from_detail
from feedlane.events.event import Event
from feedlane.events.relay import PUT_BYTES_MAX, BusEntry, Reply, StreamedEvent, relay
from feedlane.money import loads
from tests.builders import NOW
from tests.worlds.webhooks import hold_event


@dataclass
class FakeBus:
    """Refuses the entries at these positions, counted over all calls; those of `never` however often they come."""

    refuses: set[int] = field(default_factory=set)
    never: set[int] = field(default_factory=set)
    calls: list[list[BusEntry]] = field(default_factory=list)
    accepted: list[Event] = field(default_factory=list)
    count: int = 0

    def put(self, entries: list[BusEntry]) -> list[Reply]:
        assert len(entries) <= 10
        self.calls.append(entries)
        answers = []
        for entry in entries:
            answers.append(self._reply())
            if answers[-1] is Reply.ACCEPTED:
                self.accepted.append(event_from_detail(loads(entry.detail)))
            self.count += 1
        return answers

    def _reply(self) -> Reply:
        if self.count in self.never:
            return Reply.NEVER
        return Reply.NOT_NOW if self.count in self.refuses else Reply.ACCEPTED


def test_events_go_ten_at_a_time_when_their_subjects_differ() -> None:
    bus = FakeBus()
    assert relay(_streamed([f"feed-{number}" for number in range(25)]), bus) is None
    assert [len(call) for call in bus.calls] == [10, 10, 5]


def test_two_events_of_one_subject_are_never_in_one_call() -> None:
    bus = FakeBus()
    relay(_streamed(["a", "b", "a", "a"]), bus)
    assert [[entry.event.subject for entry in call] for call in bus.calls] == [["a", "b"], ["a"], ["a"]]


def test_many_events_of_a_few_subjects_in_a_row_take_no_more_calls_than_the_longest_row() -> None:
    bus = FakeBus()
    assert relay(_streamed(["a"] * 30 + ["b"] * 30 + ["c"] * 30), bus) is None
    assert len(bus.calls) == 30


def test_after_a_failure_everything_not_taken_is_sent_again_from_the_first_of_it() -> None:
    bus = FakeBus(refuses={3})
    assert relay(_streamed(["a", "a", "b", "b"]), bus) == "seq-003"
    bus = FakeBus(refuses={2})
    assert relay(_streamed(["a", "a", "b", "b"]), bus) == "seq-001"


def test_nothing_is_sent_after_a_failure_and_its_place_is_reported() -> None:
    bus = FakeBus(refuses={1})
    assert relay(_streamed(["a", "b", "b", "c"]), bus) == "seq-001"
    assert len(bus.calls) == 1


@given(st.lists(st.sampled_from("abc"), max_size=30), st.sets(st.integers(0, 60)))
def test_whatever_the_bus_refuses_everything_arrives_and_firsts_are_in_order(
    subjects: list[str], refuses: set[int]
) -> None:
    bus, events = FakeBus(refuses), _streamed(subjects)
    rest = events
    while rest and (failed := relay(rest, bus)) is not None:
        rest = rest[[event.sequence for event in rest].index(failed) :]
    arrived = {event.id: event for event in reversed(bus.accepted)}
    assert set(arrived) == {streamed.event.id for streamed in events}
    first_arrivals = list(dict.fromkeys(event.id for event in bus.accepted))
    by_subject = sorted((arrived[id] for id in first_arrivals), key=lambda event: event.subject)
    for _, group in groupby(by_subject, key=lambda event: event.subject):
        ids = [event.id for event in group]
        assert ids == sorted(ids)


def test_an_event_too_large_for_the_bus_goes_without_its_payload() -> None:
    large = hold_event().but(payload={"text": "x" * (PUT_BYTES_MAX + 1)})
    bus = FakeBus()
    assert relay([StreamedEvent("1", large)], bus) is None
    assert bus.accepted[0].id == "event-1"
    assert loads(bus.calls[0][0].detail)["payload"] == {"tooLarge": True}


def test_an_event_that_cannot_be_encoded_is_set_aside_alone() -> None:
    first, poisoned, last = _streamed(["a", "b", "c"])
    half = poisoned.event.but(payload={"description": "a \ud83d"})
    bus, set_aside = FakeBus(), []
    streamed = [first, StreamedEvent(poisoned.sequence, half), last]
    assert relay(streamed, bus, on_set_aside=lambda event, reason: set_aside.append((event.id, reason))) is None
    assert [event.id for event in bus.accepted] == [first.event.id, last.event.id]
    assert set_aside == [(poisoned.event.id, "it cannot be encoded: UnicodeEncodeError")]


def test_an_event_that_the_bus_can_never_take_is_set_aside_alone() -> None:
    streamed, set_aside = _streamed(["a", "b", "b"]), []
    bus = FakeBus(never={0})
    assert relay(streamed, bus, on_set_aside=lambda event, reason: set_aside.append(event.id)) is None
    assert set_aside == [streamed[0].event.id]
    assert [event.id for event in bus.accepted] == [event.id for _, event in streamed[1:]]


def _streamed(subjects: list[str]) -> list[StreamedEvent]:
    return [
        StreamedEvent(f"seq-{n:03d}", hold_event(f"event-{n:03d}", NOW + timedelta(seconds=n)).but(subject=subject))
        for n, subject in enumerate(subjects)
    ]
