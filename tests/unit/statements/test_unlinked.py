"""A connection that was disconnected here sends nothing, even if Xero would take it: another one keeps the access."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import NoAnswer
from feedlane.holds import items as hold_items
from feedlane.holds import release
from feedlane.link import connections
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.table import Put
from tests import builders
from tests.builders import COMPANY, CONNECTION, TENANT
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions


def with_two_connections() -> World:
    """The company has another connection to the same organisation."""
    world = World()
    markers = [keys.tenant_connection(TENANT, id) for id in (CONNECTION, "other")]
    world.store.commit(
        company_items.add_connection(builders.linked("other")), *(Put({"pk": pk, "sk": sk}) for pk, sk in markers)
    )
    return world


def connection(world: World) -> Connection:
    return company_items.connection(world.store, COMPANY, CONNECTION)


def unlink(world: World) -> None:
    ended: list[Connection] = []
    with acting_as("public_api"):
        connections.unlink(world.ports, ended.append, world.now, COMPANY, CONNECTION)
    assert ended == []


def link_again(world: World) -> None:
    linked = connection(world).but(status=ConnectionStatus.LINKED)
    world.store.commit(company_items.put_connection(linked))
    with acting_as("oauth_callback"):
        release.resume_connection(world.ports, world.now, connection(world))
    world.run()


def test_what_waits_is_held_and_goes_on_once_it_is_linked_again() -> None:
    world = with_two_connections()
    pushed = world.push(transactions(2))
    while world.queues.pushed:
        world.step()
    unlink(world)
    world.run()
    assert world.sent_ids() == []
    assert world.operation(pushed.key).status is PushStatus.FAILED
    assert [(hold.scope, hold.reason) for hold in hold_items.holds(world.store)] == [
        (Scope.CONNECTION, "reconnection-needed")
    ]
    link_again(world)
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []


def test_a_statement_in_doubt_is_not_sent_again_before_that() -> None:
    world = with_two_connections()
    world.upstream.answers = [NoAnswer(reason="timeout")]
    world.push(transactions(2))
    while not world.upstream.posts:
        world.step()
    unlink(world)
    world.run()
    assert len(world.upstream.posts) == 1
    link_again(world)
    assert world.sent_ids() == ["t1", "t2"]
