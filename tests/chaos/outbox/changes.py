"""The changes that must be published: companies, connections, settings, holds, releases. And replays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from feedlane.companies import companies
from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.upstream import Refusal
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds import release as hold_release
from feedlane.ids import feed_id
from feedlane.link import connections
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
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
        companies.create(world.ports, world.timeline.now(), "Quay Cycles Ltd", None, {"plan": "gold"})

    def connection(self) -> None:
        world = self._world
        connections.create(world.ports, world.timeline.now(), COMPANY, "gbol")

    def setting(self) -> None:
        world, now = self._world, self._world.timeline.now()
        is_error = not settings_items.settings(world.store).gap_is_error
        settings_changes.change_settings(_without_queues(world), now, {"gap_is_error": is_error})

    def profile(self) -> None:
        world, now = self._world, self._world.timeline.now()
        profile = settings_items.profile(world.store)
        changed = profile.but(name=f"{profile.name[:20]}{now:%H%M%S%f}")
        settings_changes.change_profile(world.ports, now, changed)

    def hold(self) -> None:
        world = self._world
        feed = feed_items.find_feed(world.store, feed_id(CONNECTION, world.rng.choice(ACCOUNTS)))
        assert feed is not None
        company = company_items.company(world.store, COMPANY)
        placement.hold_feed(_without_queues(world), feed, REFUSED, company, world.timeline.now())

    def flicker(self) -> None:
        """Places and releases a hold twice in a row: several events of one feed in quick succession."""
        for change in (self.hold, self.release, self.hold, self.release):
            change()

    def release(self) -> None:
        world = self._world
        for hold in hold_items.holds(world.store)[:1]:
            hold_release.release(_without_queues(world), world.timeline.now(), hold)


def _without_queues(world: World) -> Ports:
    """Only events matter here: nothing works on what a change puts on the feeds' queues."""
    return replace(world.ports, queues=FakeQueues())
