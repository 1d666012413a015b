"""Puts holds on the app and on the tenant, and lifts them."""

from __future__ import annotations

from feedlane.hold import Hold, Scope
from feedlane.problem import Problem
from feedlane.push_operation import PushOperation
from feedlane.releasing import release
from tests.builders import TENANT
from tests.worlds.feeds import World


def hold_app(world: World) -> Hold:
    problem = Problem(type="invalid-application", title="Invalid Application", status=403)
    return world.add_hold(id=world.new_id(), problem=problem)


def hold_tenant(world: World) -> Hold:
    problem = Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403)
    why = {"reason": "organisation-without-bank-feeds", "problem": problem}
    return world.add_hold(Scope.TENANT, TENANT, id=world.new_id(), **why)


def lift(world: World, hold: Hold) -> list[PushOperation]:
    return release(world.store, world.queues, world.now, world.new_id, hold)


def lift_all(world: World) -> None:
    for hold in world.store.holds():
        lift(world, hold)
