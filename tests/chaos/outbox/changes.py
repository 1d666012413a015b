"""The changes that must be published: companies, connections, settings, holds, releases. And replays."""

from __future__ import annotations

from collections.abc import Callable

from feedlane import companies, connections, holding, releasing, settings_changes
from feedlane.feed import feed_id
from feedlane.hold import Scope
from feedlane.problem import Problem
from feedlane.store import ledger
from feedlane.upstream import Refusal
from tests.builders import COMPANY, CONNECTION
from tests.chaos.outbox.world import ACCOUNTS, World
from tests.fakes.queues import FakeQueues

REFUSED = Refusal(
    scope=Scope.FEED,
    reason="statement-rejected",
    problem=Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403),
)


class Changes:
    def __init__(self, world: World) -> None:
        self._world = world
        self._kinds: list[Callable[[], None]] = [
            self.company, self.connection, self.setting, self.profile, self.hold, self.release, self.flicker,
            self.flicker, world.replays.replay_one, world.replays.replay_failed, world.replays.replay_company,
        ]  # fmt: skip

    def plan(self, number: int, seconds: float) -> None:
        """Schedules so many changes at random times. A crashed one is not retried."""
        for _ in range(number):
            change = self._world.rng.choice(self._kinds)
            self._world.timeline.start(f"change {change.__name__}", change, self._world.rng.uniform(0, seconds))

    def each_once(self) -> None:
        """Schedules one change of each kind, one after the other."""
        for number, change in enumerate(dict.fromkeys(self._kinds)):
            self._world.timeline.start(f"change {change.__name__}", change, 10.0 * number)

    def company(self) -> None:
        world = self._world
        companies.create(world.store, world.timeline.now(), world.new_id, "Quay Cycles Ltd", None, {"plan": "gold"})

    def connection(self) -> None:
        world = self._world
        connections.create(world.store, world.timeline.now(), world.new_id, COMPANY, "gbol")

    def setting(self) -> None:
        world, now = self._world, self._world.timeline.now()
        is_error = not world.store.settings().gap_is_error
        settings_changes.change_settings(world.store, FakeQueues(), now, world.new_id, {"gap_is_error": is_error})

    def profile(self) -> None:
        world, now = self._world, self._world.timeline.now()
        profile = world.store.profile()
        changed = profile.but(name=f"{profile.name[:20]}{now:%H%M%S%f}")
        settings_changes.change_profile(world.store, now, world.new_id, changed)

    def hold(self) -> None:
        world = self._world
        feed = ledger.find_feed(world.store, feed_id(CONNECTION, world.rng.choice(ACCOUNTS)))
        assert feed is not None
        company = world.store.company(COMPANY)
        holding.hold_feed(world.store, FakeQueues(), feed, REFUSED, company, world.timeline.now(), world.new_id)

    def flicker(self) -> None:
        """Places and releases a hold twice in a row: several events of one feed in quick succession."""
        for change in (self.hold, self.release, self.hold, self.release):
            change()

    def release(self) -> None:
        world = self._world
        for hold in world.store.holds()[:1]:
            releasing.release(world.store, FakeQueues(), world.timeline.now(), world.new_id, hold)
