"""`tend_connections` as the watch's schedule starts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from feedlane.credentials.vault import KeysCheck
from feedlane.errors import Unavailable
from feedlane.settings import app_keys
from feedlane.store import keys
from feedlane.store.table import Put
from feedlane.upkeep import overdue, refreshes_in_doubt, stalled_replays
from feedlane.upkeep.watch import Watch
from feedlane.vault.leases import Leases
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.replay import REQUEUES_MAX, STALLED_AFTER, Replay, ReplayState
from feedlane.wiring import functions as wiring
from tests.handlers import Context, load
from tests.worlds.app_keys import World
from tests.worlds.vault import CLIENT_ID, SECRET, Crash

EVENT = {"watch": True}
NOTHING = {
    "replays_requeued": 0,
    "replays_given_up": [],
    "refreshes_resolved": 0,
    "refreshes_ended": 0,
    "keys": False,
    "places_freed": 0,
    "token_sets_removed": 0,
    "rung": {},
    "looks_failed": [],
    "steps_failed": [],
}


def _run_watch(world: World, monkeypatch: pytest.MonkeyPatch, vault: object) -> dict[str, object]:
    watch = Watch(world.ports, vault, None)  # type: ignore[arg-type]
    monkeypatch.setattr(wiring, "watch", lambda: watch)
    answer: dict[str, object] = load("tend_connections").handler(EVENT, Context(seconds_left=300))
    return answer


def _add_stalled_replay(world: World, rung: int = 0) -> Replay:
    started = world.now - STALLED_AFTER - timedelta(minutes=1)
    replay = Replay(
        id="replay-1", consumer_id="consumer-1", since=started, until=started, started=started, due=started, rung=rung
    )
    world.store.commit(webhook_items.put_replay(replay, started))
    return replay


def test_the_watch_finds_lost_replays_and_keys_that_nobody_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    _add_stalled_replay(world)

    def crash() -> None:
        if world.lease("app-keys").get("until") == 0:
            raise Crash

    world.table.on_commit = crash
    with pytest.raises(Crash):
        world.save(CLIENT_ID, SECRET)
    answer = _run_watch(world, monkeypatch, world.restart())
    assert answer == NOTHING | {"replays_requeued": 1, "keys": True}
    assert world.queues.replays == [("consumer-1", "replay-1", 0)]
    assert world.settings_match_vault()


def test_replays_go_on_while_the_vault_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class BusyVault:
        def app_keys(self, check: bool = False) -> KeysCheck:
            raise Unavailable("The vault is busy", 2)

    world = World()
    _add_stalled_replay(world)
    answer = _run_watch(world, monkeypatch, BusyVault())
    assert answer == NOTHING | {"replays_requeued": 1, "keys": None}


def test_a_refresh_of_which_nobody_knows_the_end_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    token_set = world.connect()
    leases = Leases(world.table, world.clock)
    assert leases.take(leases.read(token_set), refresh=True)  # and its holder has crashed
    world.advance(minutes=10)
    assert _run_watch(world, monkeypatch, world.vault())["refreshes_resolved"] == 1
    assert world.server.refreshes == 1


def test_a_replay_that_is_given_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    replay = _add_stalled_replay(world, rung=REQUEUES_MAX)
    assert _run_watch(world, monkeypatch, world.vault())["replays_given_up"] == ["replay-1"]
    after = webhook_items.find_replay(world.store, replay.consumer_id, replay.id)
    assert after is not None
    assert after.state is ReplayState.FAILED


@pytest.mark.parametrize("failing", ["replays", "refreshes", "keys", "looks"])
def test_a_step_that_fails_stops_no_other_and_the_run_counts_as_failed(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []

    def step(name: str, answer: object) -> Callable[..., object]:
        def take(*_: object) -> object:
            taken.append(name)
            if name == failing:
                raise ValueError("broken")
            return answer

        return take

    monkeypatch.setattr(stalled_replays, "requeue", step("replays", stalled_replays.Requeued()))
    monkeypatch.setattr(refreshes_in_doubt, "resolve", step("refreshes", refreshes_in_doubt.Resolved()))
    monkeypatch.setattr(app_keys, "finish_interrupted_change", step("keys", False))
    monkeypatch.setattr(overdue, "ring", step("looks", overdue.Looks()))
    world = World()
    with pytest.raises(RuntimeError, match=f"{failing}: ValueError: broken"):
        _run_watch(world, monkeypatch, world.vault())
    assert taken == ["replays", "refreshes", "keys", "looks"]


def test_a_replay_that_cannot_be_read_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    unreadable = {"pk": "CONSUMER#a", "sk": "REPLAY#r", "gsi1pk": keys.REPLAYS, "gsi1sk": "a#r"}
    world.store.commit(Put(unreadable))
    _add_stalled_replay(world)
    answer = _run_watch(world, monkeypatch, world.vault())
    assert answer["replays_requeued"] == 1
    assert answer["looks_failed"] == ["CONSUMER#a/REPLAY#r: ValidationError"]


def test_a_run_with_nothing_to_do_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.save(CLIENT_ID, SECRET)
    before = dict(world.table.items)
    assert _run_watch(world, monkeypatch, world.vault())["keys"] is False
    assert world.table.items == before
