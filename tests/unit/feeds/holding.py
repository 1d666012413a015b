"""Holds of the app and of the tenant, and lifting them: what tests of holds act on."""

from __future__ import annotations

from feedlane.hold import APP, Hold, Scope
from feedlane.problem import Problem
from feedlane.push_operation import PushOperation
from feedlane.releasing import release
from tests.worlds.feeds import World


def hold_app(world: World) -> Hold:
    problem = Problem(type="invalid-application", title="Invalid Application", status=403)
    hold = Hold(id=world.new_id(), scope=Scope.APP, subject=APP, reason="app", problem=problem, since=world.now)
    world.store.commit(world.store.add_hold(hold))
    return hold


def hold_tenant(world: World) -> Hold:
    problem = Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403)
    ids = {"id": world.new_id(), "subject": "tenant-1", "reason": "organisation-without-bank-feeds"}
    hold = Hold(scope=Scope.TENANT, problem=problem, since=world.now, **ids)
    world.store.commit(world.store.add_hold(hold))
    return hold


def lift(world: World, hold: Hold) -> list[PushOperation]:
    return release(world.store, world.queues, world.now, world.new_id, hold)


def lift_all(world: World) -> None:
    for hold in world.store.holds():
        lift(world, hold)
