"""Whichever message is lost, at whatever moment, the watch brings everything to its end in order, within its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from unittest.mock import patch

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.companies.reconnection import CONNECTION_REMOVED, RECONNECTION_NEEDED
from feedlane.feeds import items as feed_items
from feedlane.feeds import pages, push_operation_end
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, FeedConnection, NoAnswer, Refusal, StatementStatus, TryLater
from feedlane.holds import items as hold_items
from feedlane.holds import long_release
from feedlane.holds import release as hold_release
from feedlane.link import recovery, start_window, state_items
from feedlane.link.consent_end import ConsentEnd
from feedlane.link.state import LINK_STATE_LIFETIME, LinkState
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import Scope
from feedlane.settings.changes import change_settings
from feedlane.store.due import Kind, due_keys, next_look
from feedlane.store.table import Put
from feedlane.upkeep import overdue
from tests.account_actions import map_again, remove, unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.fakes.upstream import NO_FEEDS
from tests.rights import acting_as
from tests.unit.upkeep.lost import LossyWorld
from tests.worlds.feeds import transactions

SECOND = "account-2"
# Each of them may release a hold: at the customer's or the operator's wish, or because a customer is back.
RELEASING = ("public_api", "portal", "link", "oauth_callback")
Scenario = Callable[[LossyWorld], None]


def pushed_by_the_api(world: LossyWorld) -> None:
    world.push(transactions(2))
    world.push(transactions(1, start=3, opening=20.0))


def pushed_with_a_time_out(world: LossyWorld) -> None:
    world.push(transactions(2), timeout_in_minutes=600)
    world.push(transactions(1, start=3, opening=20.0), timeout_in_minutes=600)


def put_on_the_queue(world: LossyWorld) -> None:
    world.record(world.message(transactions(2)), world.message(transactions(1, start=3, opening=20.0)))


def many_messages_at_once(world: LossyWorld) -> None:
    """The feed gathers."""
    world.record(world.message(transactions(2)), more_to_come=True)
    world.record(world.message(transactions(1, start=3, opening=20.0)), more_to_come=True)


def processed_slowly(world: LossyWorld) -> None:
    put_on_the_queue(world)
    world.upstream.statement_status = _pending_for(world, polls=4)


def without_an_answer(world: LossyWorld) -> None:
    put_on_the_queue(world)
    world.upstream.lost = [NoAnswer(reason="timeout")]


def asked_to_wait(world: LossyWorld) -> None:
    put_on_the_queue(world)
    world.upstream.answers = [TryLater(scope=Scope.TENANT, seconds=90, reason="minute")]


def _pending_for(world: LossyWorld, polls: int) -> Callable[..., object]:
    real, asked = world.upstream.statement_status, Counter[str]()

    def status(access: object, id: str) -> object:
        asked[id] += 1
        return Accepted(statement_id=id, status=StatementStatus.PENDING) if asked[id] <= polls else real(access, id)

    return status


SCENARIOS = [
    pushed_by_the_api,
    pushed_with_a_time_out,
    put_on_the_queue,
    many_messages_at_once,
    processed_slowly,
    without_an_answer,
    asked_to_wait,
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_is_lost_at_whatever_moment_all_is_delivered_within_twenty_minutes(scenario: Scenario) -> None:
    kinds_lost: set[str] = set()
    for steps in range(16):
        world = LossyWorld()
        scenario(world)
        for _ in range(steps):
            world.step()
        # When all messages on their way are lost
        kinds_lost.update(world.lose_all())
        world.watch(runs=2)
        # Then all is delivered all the same, in order, and each operation has its end, once
        assert world.sent_ids() == ["t1", "t2", "t3"], steps
        assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}, steps
        assert len(world.events("bankTransactions.write.successful")) == 2
        # And nobody comes back for it any more
        world.watch(runs=3)
        assert world.listed() == {}, steps
    assert kinds_lost & {"doorbell", "wake"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nobody_is_rung_while_no_message_is_lost(scenario: Scenario) -> None:
    world = LossyWorld()
    scenario(world)
    assert world.watch(runs=6) == Counter()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert world.listed() == {}


def test_nobody_is_rung_for_a_statement_that_xero_takes_a_day_over() -> None:
    """Its polls go on by themselves, every quarter of an hour."""
    world = LossyWorld()
    put_on_the_queue(world)
    world.upstream.statement_status = _pending_for(world, polls=100)
    assert world.watch(runs=144) == Counter()
    assert world.feed().waiting == 0


def test_nobody_is_rung_while_xero_asks_to_wait_for_a_day() -> None:
    world = LossyWorld()
    put_on_the_queue(world)
    world.upstream.answers = [TryLater(scope=Scope.TENANT, seconds=80_000, reason="day")]
    assert world.watch(runs=140) == Counter()
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_a_poll_that_the_watch_asks_for_is_not_put_off_by_itself() -> None:
    """The watch asks again when the wait is over: no chain of messages grows meanwhile."""
    world = LossyWorld()
    put_on_the_queue(world)
    world.step()
    assert world.lose_all() == ["StatementCheck"]
    real = world.upstream.statement_status
    world.upstream.statement_status = lambda *_: TryLater(scope=Scope.TENANT, seconds=3600, reason="day")
    assert world.watch(runs=2) == {Kind.FEED: 1}
    assert world.lose_all() == []
    world.upstream.statement_status = real
    assert world.watch(runs=3) == Counter()
    assert world.watch(runs=4) == {Kind.FEED: 1}
    assert world.feed().waiting == 0


def test_a_stream_of_pushes_does_not_put_the_look_off() -> None:
    """Behind a statement whose poll is lost, each append sends no message of its own."""
    world = LossyWorld()
    world.record(world.message(transactions(1)))
    world.step()
    assert world.lose_all() == ["StatementCheck"]
    for minute in range(1, 20):
        world.now += timedelta(minutes=1)
        world.record(world.message(transactions(1, start=1 + minute, opening=10.0 * minute)))
        assert world.lose_all() == []
    assert world.ring().rung == {Kind.FEED: 1}
    assert world.lose_all() == ["StatementCheck"]


def test_operations_behind_a_hold_fail_although_their_feeds_wake_up_is_lost() -> None:
    world = LossyWorld((ACCOUNT, SECOND))
    world.upstream.answers = [NO_FEEDS]
    world.record(world.message(transactions(1)))
    world.record(world.message(transactions(1), SECOND))
    world.queues.woken.pop()
    world.step()
    assert set(world.lose_all()) == {"HoldCheck", "wake"}
    world.watch()
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}

    # And then held feeds are looked at once a day, and not rung
    assert world.watch(runs=300) == Counter()
    assert all(at > f"{world.now:%Y-%m-%dT%H:%M}" for at in world.listed().values())


@pytest.mark.parametrize("feeds_per_commit", [1, 30])
def test_what_a_release_lets_go_is_sent_although_its_messages_are_lost(feeds_per_commit: int) -> None:
    """Of one commit, or in parts; and long after the feeds were held."""
    world = LossyWorld((ACCOUNT, SECOND))
    world.upstream.answers = [NO_FEEDS]
    world.record(world.message(transactions(1)))
    world.record(world.message([row | {"id": "other"} for row in transactions(1)], SECOND))
    world.run()
    world.watch(runs=10)
    [hold] = hold_items.holds(world.store)
    with patch.object(long_release, "FEEDS_PER_COMMIT_MAX", feeds_per_commit):
        with patch.object(hold_release, "FEEDS_PER_COMMIT_MAX", feeds_per_commit), acting_as(*RELEASING):
            hold_release.release(world.ports, world.now, hold)
        assert "wake" in world.lose_all()
        world.watch()
    assert sorted(world.sent_ids()) == ["other", "t1"]


def test_a_release_that_has_begun_is_finished_although_its_message_is_lost() -> None:
    world = LossyWorld((ACCOUNT, SECOND))
    world.record(world.message(transactions(1)))
    hold = world.add_hold()
    world.run()
    with patch.object(long_release, "_advance", lambda *_: []), acting_as(*RELEASING):
        long_release.release_in_parts(world.ports, world.now, hold)
    assert world.lose_all() == ["ReleaseCheck"]
    with patch.object(pages, "CONNECTIONS_PER_PAGE_MAX", 1):
        assert world.watch()[Kind.HOLD] == 1
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1"]


def test_feeds_are_rung_at_once_when_sending_is_switched_on_again() -> None:
    world = LossyWorld((ACCOUNT, SECOND))
    with acting_as("public_api"):
        change_settings(world.ports, world.now, {"bank_feeds": False})
    world.record(world.message(transactions(1)))
    world.run()
    assert world.watch(runs=50) == Counter()
    with acting_as("public_api"):
        change_settings(world.ports, world.now, {"bank_feeds": True})
    assert set(world.lose_all()) == {"WakeAll", "wake"}
    assert world.watch(runs=1) == {Kind.FEED: 1}
    assert world.sent_ids() == ["t1"]


@pytest.mark.parametrize("waiting", [0, 2])
def test_a_feed_connection_is_followed_although_its_check_is_lost(waiting: int) -> None:
    world = LossyWorld()
    if waiting:
        world.record(world.message(transactions(waiting)))
    unmap(world)
    new = FeedConnection(id="fc-new", account_token="token", account_id="target", active=False)
    world.upstream.create_feed_connection = lambda *_: new
    map_again(world)
    assert "FeedConnectionCheck" in world.lose_all()
    world.upstream.connections = [new]
    # While Xero is setting it up, the watch follows it, and no chain of checks grows
    world.watch(runs=20)
    assert world.lose_all() == []
    world.upstream.connections = [new.but(active=True)]
    world.watch()
    assert company_items.source_account(world.store, CONNECTION, ACCOUNT).status == "connected"
    assert world.sent_ids() == ["t1", "t2"][:waiting]
    world.watch(runs=3)
    assert world.listed() == {}


def test_operations_of_a_removed_account_fail_although_its_check_is_lost() -> None:
    world = LossyWorld()
    put_on_the_queue(world)
    with patch("feedlane.mapping.unmapping.fail_removed_account"):
        remove(world)
    assert "RemovedAccountCheck" in world.lose_all()
    world.watch()
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
    world.watch(runs=3)
    assert world.listed() == {}


def test_a_recovered_connection_sends_again_although_its_check_is_lost() -> None:
    world = LossyWorld()
    put_on_the_queue(world)
    world.upstream.answers = [Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=CONNECTION_REMOVED)]
    world.run()
    world.watch(runs=5)
    ended = company_items.connection(world.store, COMPANY, CONNECTION)
    assert ended.status is ConnectionStatus.DEAUTHORIZED
    assert recovery.apply_listing(world.ports, world.now, ended, ended.scopes)
    assert world.lose_all() == ["RecoveryCheck"]
    world.watch()
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t2", "t3"]
    world.watch(runs=3)
    assert world.listed() == {}


def test_feeds_get_the_new_token_set_although_the_check_of_the_consent_is_lost() -> None:
    world = LossyWorld()
    linked = company_items.connection(world.store, COMPANY, CONNECTION)
    renewed = linked.but(token_set_id="tokens-new", look=next_look(world.now))
    world.store.commit(company_items.put_connection(renewed))
    world.watch()
    assert world.feed().token_set_id == "tokens-new"
    world.watch(runs=3)
    assert world.listed() == {}


def test_one_off_access_ends_although_its_check_is_lost() -> None:
    world = LossyWorld()
    linked = company_items.connection(world.store, COMPANY, CONNECTION)
    ends = world.now + timedelta(minutes=30)
    world.store.commit(company_items.put_connection(linked.but(access_ends=ends, look=next_look(world.now))))
    world.watch(runs=2)
    assert company_items.connection(world.store, COMPANY, CONNECTION).is_linked
    world.watch(runs=3)
    assert company_items.connection(world.store, COMPANY, CONNECTION).status is ConnectionStatus.DEAUTHORIZED
    world.watch(runs=3)
    assert world.listed() == {}


@pytest.mark.parametrize("used", [False, True])
def test_an_unanswered_start_is_reported_without_any_message(used: bool) -> None:
    world = LossyWorld()
    connection = company_items.connection(world.store, COMPANY, CONNECTION).but(
        status=ConnectionStatus.PENDING_AUTH, linked_on=None
    )
    world.store.commit(company_items.put_connection(connection))
    state = LinkState(
        fingerprint="f",
        browser="b",
        company_id=COMPANY,
        connection_id=CONNECTION,
        expires=world.now + LINK_STATE_LIFETIME,
    )
    start_window.store_start(world.store, state, state_items.add_state(state))
    assert world.lose_all() == []
    if used:
        world.store.commit(*ConsentEnd(state).failure_writes())
    assert world.watch(runs=4) == Counter()
    assert world.event_types == ([] if used else ["connection.authorizationUnanswered"])
    assert world.listed() == {}


def test_an_operation_times_out_although_its_check_is_lost() -> None:
    world = LossyWorld()
    operation = world.push(transactions(1), timeout_in_minutes=30)
    world.upstream.statement_status = _pending_for(world, polls=100)
    for _ in range(3):
        world.step()
    assert "PushOperationCheck" in world.lose_all()
    world.watch(runs=2)
    assert world.operation(operation.key).status is PushStatus.PENDING
    world.watch(runs=3)
    assert world.operation(operation.key).status is PushStatus.TIMED_OUT


def test_more_operations_than_one_commit_ends_are_ended_although_the_check_is_lost() -> None:
    """They succeed after the delivery: until then the feed stays listed."""
    world = LossyWorld()
    with patch.object(push_operation_end, "OPERATIONS_PER_COMMIT_MAX", 1):
        put_on_the_queue(world)
        with patch.object(push_operation_end, "succeed"):
            world.run()
        assert world.feed().delivered_through == 3
        assert {operation.status for operation in world.operations()} == {PushStatus.PENDING}
        world.watch()
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    world.watch(runs=3)
    assert world.listed() == {}


def test_what_belongs_to_a_deleted_company_leaves_the_list() -> None:
    world = LossyWorld()
    world.push(transactions(1))
    world.record(world.message(transactions(1)))
    world.lose_all()
    company = company_items.company(world.store, COMPANY)
    world.store.commit(company_items.remove_company(company))
    assert world.watch() == Counter()
    assert world.listed() == {}


def test_a_look_that_is_overtaken_by_a_change_takes_nothing_from_the_list() -> None:
    """The watch finds an idle feed, and lines are appended before it takes the feed from the list."""
    world = LossyWorld()
    feed = world.feed()
    world.store.commit(feed_items.put_feed(feed.but(look=world.now)))
    real = world.store.table.commit

    def append_first(*writes: object) -> None:
        world.store.table.commit = real
        world.record(world.message(transactions(1)))
        world.lose_all()
        real(*writes)

    world.store.table.commit = append_first  # type: ignore[method-assign]
    world.now += timedelta(minutes=10)
    world.ring()
    assert list(world.listed()) == [f"FEED#{feed.id}/FEED"]
    world.watch()
    assert world.sent_ids() == ["t1"]


def test_one_run_does_what_it_has_time_for_and_the_next_the_rest() -> None:
    accounts = tuple(f"account-{number:02d}" for number in range(12))
    world = LossyWorld(accounts)
    for number, account in enumerate(accounts):
        world.record(world.message([row | {"id": account} for row in transactions(1)], account))
        world.now += timedelta(minutes=5 * (number % 2))
    world.lose_all()
    world.now += timedelta(hours=1)
    with patch.object(overdue, "LOOKS_MAX", 4):
        rung = [world.ring().rung[Kind.FEED] for _ in range(4)]
    assert rung == [4, 4, 4, 0]
    # The longest overdue come first
    assert {*world.queues.woken[:4]} == {f"{CONNECTION}/{account}" for account in accounts[:4]}


def test_who_does_not_come_is_rung_less_and_less_often_and_never_less_than_every_hour() -> None:
    """A function is down for a day: the queue keeps every ring."""
    world = LossyWorld()
    put_on_the_queue(world)
    world.lose_all()
    rung = [bool(_ring_after_ten_minutes(world)) for _ in range(144)]
    assert len(world.queues.woken) == sum(rung) < 30
    times = [number for number, is_rung in enumerate(rung) if is_rung]
    assert max(after - before for before, after in pairwise(times)) <= 7
    # Who has come on is looked at soon again
    world.step()
    world.lose_all()
    assert world.watch(runs=2)
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_the_doorbell_of_a_push_is_rung_less_and_less_often_too() -> None:
    world = LossyWorld()
    world.push(transactions(1))
    world.lose_all()
    assert sum(_ring_after_ten_minutes(world) for _ in range(144)) < 30


def _ring_after_ten_minutes(world: LossyWorld) -> int:
    world.now += timedelta(minutes=10)
    return world.ring().rung.total()


def test_what_cannot_be_looked_at_stops_nobody_else() -> None:
    world = LossyWorld()
    due_long_ago = due_keys(Kind.FEED, "broken", world.now - timedelta(hours=1))
    world.store.commit(Put({"pk": "FEED#broken", "sk": "FEED", **due_long_ago}))
    put_on_the_queue(world)
    world.lose_all()
    world.now += timedelta(minutes=10)
    looks = world.ring()
    assert (looks.failed, looks.rung[Kind.FEED]) == (["FEED#broken/FEED: ValidationError"], 1)
    assert world.listed()["FEED#broken/FEED"] > f"{world.now:%Y-%m-%dT%H:%M}"


def test_an_idle_feed_is_not_listed() -> None:
    world = LossyWorld()
    assert world.listed() == {}
    world.push(transactions(3))
    assert list(world.listed()) == [f"COMPANY#{COMPANY}/PUSH#{world.operations()[0].key}"]
    world.step()
    assert list(world.listed()) == [f"FEED#{world.feed().id}/FEED"]
    world.run()
    assert world.listed() == {}


def test_a_busy_feed_keeps_its_place_in_the_list() -> None:
    """Two hundred pushes and as many statements within ten minutes."""
    world = LossyWorld()
    world.record(world.message(transactions(1)))
    places = {next(iter(world.listed().values()))}
    for number in range(1, 200):
        world.record(world.message(transactions(1, start=1 + number, opening=10.0 * number)))
        world.step()
        places |= set(world.listed().values())
        world.now += timedelta(seconds=2)
    assert world.now - timedelta(seconds=SAFETY_DELAY_SECONDS) < world.feed().created + timedelta(minutes=12)
    assert len(places) <= 3
