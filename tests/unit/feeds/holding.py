"""Holds of the app and of the tenant, and lifting them: what tests of holds act on."""

from __future__ import annotations

from feedlane.feeds.push_operation import PushOperation
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.holds.release import release
from feedlane.problem import Problem
from feedlane.scope import APP_SUBJECT, Scope
from tests.unit.feeds.world import World


def hold_app(world: World) -> Hold:
    problem = Problem(type="invalid-application", title="Invalid Application", status=403)
    hold = Hold(id=world.new_id(), scope=Scope.APP, subject=APP_SUBJECT, reason="app", problem=problem, since=world.now)
    world.store.commit(hold_items.add_hold(hold))
    return hold


def hold_tenant(world: World) -> Hold:
    problem = Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403)
    ids = {"id": world.new_id(), "subject": "tenant-1", "reason": "organisation-without-bank-feeds"}
    hold = Hold(scope=Scope.TENANT, problem=problem, since=world.now, **ids)
    world.store.commit(hold_items.add_hold(hold))
    return hold


def lift(world: World, hold: Hold) -> list[PushOperation]:
    return release(world.ports, world.now, hold)


def lift_all(world: World) -> None:
    for hold in hold_items.holds(world.store):
        lift(world, hold)
