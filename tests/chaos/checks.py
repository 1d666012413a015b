"""The eight invariants of DESIGN.md, checked on the simulator's record and on the table."""

from __future__ import annotations

from tests.chaos import check_road, check_rules, check_told
from tests.chaos.functions import SOURCES
from tests.chaos.pushes import Platform
from tests.chaos.world import World


def after_all(world: World, platform: Platform) -> list[str]:
    found: list[str] = []
    for place in world.places:
        found += check_road.order(world, place)
        found += check_road.once(world, place)
        found += check_road.money(world, place, platform)
        found += check_road.one_flight(world, place)
        found += check_road.gaps(world, place)
        if not world.is_deleted(place):
            found += check_road.all_delivered(world, place)
    found += check_rules.days(world)
    found += check_told.pushes_ended(world, platform)
    found += check_told.events(world)
    found += check_told.unforeseen(world)
    found += check_rules.frozen(world)
    found += check_rules.limits(world)
    found += check_rules.tokens(world)
    found += check_rules.secrets(world)
    return found


def while_held(world: World) -> list[str]:
    return check_told.held_operations_told(world)


def at_rest(world: World) -> bool:
    """Nothing waits, nothing is under way, no message is left."""
    if any(world.queues[name].messages for name in SOURCES):
        return False
    feeds = [world.feed(place) for place in world.places if not world.is_deleted(place)]
    return all(feed is not None and not feed.waiting and feed.flight is None for feed in feeds)
