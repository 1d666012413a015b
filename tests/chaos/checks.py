"""Checks the invariants on the simulator's record and on the table."""

from __future__ import annotations

from tests.chaos import check_delivery, check_events, check_limits, check_needless, check_rules
from tests.chaos.functions import SOURCES
from tests.chaos.pushes import Platform
from tests.chaos.world import World


def after_all(world: World, platform: Platform) -> list[str]:
    violations: list[str] = []
    for place in world.places:
        violations += check_delivery.order(world, place)
        violations += check_delivery.once(world, place)
        violations += check_delivery.money(world, place, platform)
        violations += check_delivery.one_flight(world, place)
        violations += check_delivery.gaps(world, place)
        violations += check_delivery.holes(world, place)
        if not world.is_deleted(place):
            violations += check_delivery.all_delivered(world, place)
    violations += world.untrue[:3]
    violations += world.watching.late[:3]
    violations += check_rules.days(world)
    violations += check_events.pushes_ended(world, platform)
    violations += check_events.events(world)
    violations += check_events.unforeseen(world)
    violations += check_needless.needless(world)
    violations += check_rules.chains(world)
    violations += check_rules.receives(world)
    violations += check_rules.frozen(world)
    violations += check_limits.limits(world)
    violations += world.books.own_rules()
    violations += check_rules.secrets(world)
    return violations


def while_held(world: World) -> list[str]:
    return check_events.held_operations_fail(world)


def at_rest(world: World) -> bool:
    """No line waits, no statement is in flight, no message is left."""
    if any(world.queues[name].messages for name in SOURCES):
        return False
    feeds = [world.feed(place) for place in world.places if not world.is_deleted(place)]
    return all(feed is not None and not feed.waiting and feed.flight is None for feed in feeds)
