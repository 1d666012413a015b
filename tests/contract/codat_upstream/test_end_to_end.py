"""The product in front of Codat, end to end: consent, mapping, ordered pushes, Xero's 403, lost answers, keys."""

from __future__ import annotations

import httpx
import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.credentials.vault import CODAT_KEY_REJECTED
from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.hold import Hold
from feedlane.scope import CODAT_SUBJECT, Scope
from feedlane.settings import codat_keys
from local.codat_simulator import connections as connections_at_codat
from local.codat_simulator.records import Operation, Outcome
from local.codat_simulator.state import DEFAULT_API_KEY
from local.simulator.organisations import fixed_id
from tests import builders
from tests.rights import acting_as
from tests.worlds import vault
from tests.worlds.codat import World
from tests.worlds.feeds import transactions

BAKERY, JOINERY = fixed_id("harbour-bakery"), fixed_id("northwind-joinery")
ACCOUNTS = ("main", "savings")


def connected(*accounts: str, tenant: str = BAKERY, maps: bool = True) -> World:
    """A customer has gone through Codat's Link and mapped the accounts there."""
    world = World()
    for account in accounts or ACCOUNTS[:1]:
        world.add_account(account)
    world.codat.link.tenant_id = tenant
    world.codat.link.maps = "newAccounts" if maps else "nothing"
    assert world.go_through_link().status == 302
    world.run()
    assert world.account().status is SourceAccountStatus.CONNECTED
    return world


def ids(count: int, start: int = 1) -> list[str]:
    return [f"t{number}" for number in range(start, start + count)]


def operations_at_codat(world: World) -> list[Operation]:
    return list(world.codat.operations.values())


def the_hold(world: World) -> Hold:
    [hold] = hold_items.holds(world.store)
    return hold


def release(world: World, hold: Hold) -> None:
    with acting_as("public_api", "portal"):
        hold_release.release(world.ports, world.now, hold)
    world.run()


def pushes(request: httpx.Request) -> bool:
    return request.method == "POST" and "/push/" in request.url.path


def lose_answers(world: World, count: int) -> list[str]:
    """The answers to the next pushes get lost, after Codat has taken them."""
    lost: list[str] = []

    def lose(request: httpx.Request) -> bool:
        is_lost = pushes(request) and len(lost) < count
        lost.extend([request.url.path] if is_lost else [])
        return is_lost

    world.wire.lose = lose
    return lost


def test_lines_arrive_once_in_order_under_the_platforms_own_operations() -> None:
    world = connected()
    first = world.push(transactions(3))
    world.run()
    second = world.push(transactions(2, start=4, opening=30))
    third = world.push(transactions(2, start=6, opening=50))
    world.run()
    assert world.arrived == ids(7)
    for operation in (first, second, third):
        assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert len(world.events("bankTransactions.write.successful")) == 3
    assert len(operations_at_codat(world)) == 2, "what waits together goes together"


def test_two_feeds_keep_their_own_order() -> None:
    world = connected(*ACCOUNTS)
    for account in ACCOUNTS:
        world.push(transactions(3), account)
    world.run()
    by_account = {
        account: [one.line["id"] for one in world.codat.arrived if one.account_id == account] for account in ACCOUNTS
    }
    assert by_account == dict.fromkeys(ACCOUNTS, ids(3))


def test_more_lines_than_one_push_may_have_go_one_push_after_the_other() -> None:
    world = connected()
    world.push(transactions(1000))
    world.push(transactions(500, start=1001, opening=10_000))
    world.run()
    assert world.arrived == ids(1500)
    assert [len(one.data["transactions"]) for one in operations_at_codat(world)] == [1000, 500]


@pytest.mark.parametrize("downstream", ["json", "text", "validation"])
def test_xeros_403_in_a_failed_operation_holds_and_after_the_release_the_lines_arrive_once_in_order(
    downstream: str,
) -> None:
    world = connected(tenant=JOINERY)
    world.codat.behaviour.downstream = downstream  # type: ignore[assignment]
    failed = world.push(transactions(2))
    world.run()
    hold = the_hold(world)
    assert (hold.scope, hold.reason) == (Scope.TENANT, "organisation-without-bank-feeds")
    assert operations_at_codat(world)[-1].key in hold.problem.answer, "Codat's whole answer is kept"
    assert (world.operation(failed.key).status, world.operation(failed.key).status_code) == (PushStatus.FAILED, 403)
    [held] = world.events("bankFeeds.held")
    assert held.payload["problem"]["type"] == "invalid-organisation-bank-feeds"
    assert len(world.events("bankTransactions.write.unsuccessful")) == 1

    world.codat.organisations[JOINERY].bank_feeds = True
    release(world, hold)
    world.push(transactions(2, start=3, opening=20))
    world.run()
    assert world.arrived == ids(4)
    assert len(world.events("bankFeeds.released")) == 1


@pytest.mark.parametrize("echo", ["created", "always", "never"])
@pytest.mark.parametrize("order", ["newestFirst", "oldestFirst"])
@pytest.mark.parametrize("lost", [1, 3])
def test_a_lost_answer_is_settled_by_the_list_and_nothing_goes_twice(echo: str, order: str, lost: int) -> None:
    world = connected()
    world.codat.behaviour.data_echo = echo  # type: ignore[assignment]
    world.codat.behaviour.push_order = order  # type: ignore[assignment]
    answers = lose_answers(world, lost)
    pushed = world.push(transactions(3))
    world.run()
    assert answers
    assert world.operation(pushed.key).status is PushStatus.SUCCESS
    world.push(transactions(2, start=4, opening=30))
    world.run()
    assert world.arrived == ids(5)
    assert not hold_items.holds(world.store)


def test_a_push_that_never_reached_codat_goes_again_and_arrives_once() -> None:
    world = connected()
    real, refused = world.wire.handle_request, [0]

    def handle(request: httpx.Request) -> httpx.Response:
        if pushes(request) and refused[0] < 2:
            refused[0] += 1
            raise httpx.ReadTimeout("never arrived")
        return real(request)

    world.wire.handle_request = handle  # type: ignore[method-assign]
    pushed = world.push(transactions(3))
    world.run()
    assert refused == [2]
    assert world.arrived == ids(3)
    assert world.operation(pushed.key).status is PushStatus.SUCCESS


def test_an_operation_that_codat_fails_for_its_data_holds_the_feed_alone() -> None:
    world = connected(*ACCOUNTS)
    world.codat.outcomes.append(Outcome("Failed", "Balance is wrong", 400, None, False, (), "main", 1))
    pushed = world.push(transactions(1))
    world.push(transactions(2), "savings")
    world.run()
    assert the_hold(world).scope is Scope.FEED
    assert world.operation(pushed.key).status is PushStatus.FAILED
    assert "Balance is wrong" in (world.operation(pushed.key).error_message or "")
    assert world.arrived == ids(2)
    release(world, the_hold(world))
    assert [one.line["id"] for one in world.codat.arrived if one.account_id == "main"] == ids(1)


def test_a_key_that_is_withdrawn_holds_the_app_and_a_new_one_releases_it() -> None:
    world = connected(*ACCOUNTS)
    new = "a-new-key-of-codats-0000000000000000000B"
    for account in ACCOUNTS:
        world.push(transactions(2), account)
    world.codat.api_keys[0].key = new
    world.run()
    hold = the_hold(world)
    assert (hold.scope, hold.reason, hold.problem.type) == (Scope.APP, CODAT_KEY_REJECTED, CODAT_KEY_REJECTED)
    assert world.arrived == []
    texts = str([event.model_dump() for event in world.events()]) + str(hold)
    assert DEFAULT_API_KEY not in texts

    kept = vault.World()
    kept.store = world.store
    with acting_as("public_api"):
        codat_keys.change_key(world.ports, kept.vault(), world.now, new)
    world.keys.keys = [new]
    world.run()
    assert sorted(world.arrived) == sorted([*ids(2), *ids(2)])
    assert not hold_items.holds(world.store)


def test_while_two_keys_are_kept_a_withdrawn_one_stops_nothing() -> None:
    world = connected()
    new = "a-new-key-of-codats-0000000000000000000B"
    world.keys.keys = [DEFAULT_API_KEY, new]
    world.codat.api_keys[0].key = new
    world.push(transactions(2))
    world.run()
    assert world.arrived == ids(2)
    assert not hold_items.holds(world.store)


def test_a_connection_that_was_unlinked_at_codat_is_held_until_the_customer_is_back() -> None:
    world = connected()
    [at_codat] = world.codat.connections.values()
    connections_at_codat.sever(world.codat, at_codat, "Deauthorized")
    world.push(transactions(2))
    world.run()
    assert the_hold(world).scope is Scope.CONNECTION
    assert world.current().status is ConnectionStatus.DEAUTHORIZED
    assert world.come_back(world.visit(world.open_link("?link.reconnect=1"))).status == 302
    world.run()
    assert world.arrived == ids(2)
    assert world.current().is_linked


def test_codats_rate_limit_is_waited_for() -> None:
    world = connected()
    world.codat.limits.allowances.day = 0
    pushed = world.push(transactions(2))
    for _ in range(30):
        world.step()
    assert world.operation(pushed.key).status is PushStatus.PENDING
    world.codat.limits.allowances.day = 1000
    world.run()
    assert world.arrived == ids(2)
    assert not hold_items.holds(world.store)


def test_feeds_of_xero_and_of_codat_stand_beside_each_other() -> None:
    """The one sender has both, and a feed of Xero's does not reach Codat."""
    world = connected()
    world.codat.api_keys[0].key = "a-new-key-of-codats-0000000000000000000B"
    through_codat, world.connection = world.connection, builders.linked(company_id=world.connection.company_id)
    feed = builders.feed(world.connection, "direct")
    mapped = builders.mapped_account(feed)
    world.store.commit(
        company_items.add_connection(world.connection),
        company_items.add_source_account(mapped),
        feed_items.add_feed(feed),
    )
    world.push(transactions(2), "direct")
    world.connection = through_codat
    world.push(transactions(1))
    world.run()
    assert (the_hold(world).scope, the_hold(world).subject) == (Scope.APP, CODAT_SUBJECT)
    assert world.direct.taken == [ids(2)], "what Codat refuses stops no feed of Xero's"
    world.connection = builders.linked(company_id=world.connection.company_id)
    world.push(transactions(1, start=3, opening=20), "direct")
    world.run()
    assert world.direct.taken == [ids(2), ids(1, 3)]
    world.keys.keys = ["a-new-key-of-codats-0000000000000000000B"]
    release(world, the_hold(world))
    assert world.arrived == ids(1)
    assert [one.account_id for one in operations_at_codat(world)] == ["main"]
