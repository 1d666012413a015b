"""Places holds on the app and on the tenant, and releases them."""

from __future__ import annotations

from collections.abc import Sequence

from feedlane.feeds.push_operation import PushOperation
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.holds.release import release
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests.builders import TENANT
from tests.rights import acting_as
from tests.worlds.feeds import World


def hold_app(world: World) -> Hold:
    problem = Problem(type="invalid-application", title="Invalid Application", status=403)
    return world.add_hold(id=world.new_id(), problem=problem)


def hold_tenant(world: World) -> Hold:
    problem = Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403)
    cause = {"reason": "organisation-without-bank-feeds", "problem": problem}
    return world.add_hold(Scope.TENANT, TENANT, id=world.new_id(), **cause)


def lift(world: World, hold: Hold, set_aside: Sequence[str] = ()) -> list[PushOperation]:
    with acting_as("public_api") if set_aside else acting_as("public_api", "portal"):
        return release(world.ports, world.now, hold, set_aside)


def lift_all(world: World) -> None:
    for hold in hold_items.holds(world.store):
        lift(world, hold)
