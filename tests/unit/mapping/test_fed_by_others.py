"""A Xero account that somebody else feeds through the same Xero app: not offered, and refused with its way out."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import AccountKind, SourceAccountStatus
from feedlane.errors import Invalid, Refused
from feedlane.feeds.upstream import FeedConnection, TargetAccount
from feedlane.ids import account_token
from feedlane.mapping import mapping
from feedlane.mapping import targets as mapping_targets
from tests import builders
from tests.account_actions import map_again, unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.worlds.feeds import World

TARGET = TargetAccount(id="target", name="Current", currency="GBP", kind=AccountKind.BANK)


@pytest.fixture
def world() -> World:
    world = World()
    unmap(world)
    world.upstream.targets = [TARGET]
    world.upstream.connections = [
        FeedConnection(id="fc-other", account_token="another platform's", account_id="target", active=True)
    ]
    return world


def offered(world: World) -> list[str]:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    accounts = company_items.source_accounts(world.store, CONNECTION)
    fed = mapping_targets.fed_targets(world.ports, world.upstream, mapping.access_to(connection), accounts)
    return [target.id for target in mapping_targets.target_options(world.upstream.targets, accounts[0], fed)]


def test_it_is_not_offered_until_that_feed_has_ended(world: World) -> None:
    assert offered(world) == []
    world.upstream.connections.clear()
    assert offered(world) == ["target"]


def test_mapping_to_it_says_what_to_do_and_asks_xero_for_nothing(world: World) -> None:
    with pytest.raises(Invalid, match="End that feed first"):
        map_again(world)
    assert world.upstream.created == []
    world.upstream.connections.clear()
    map_again(world)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    assert account.status is SourceAccountStatus.CONNECTED


def test_one_of_another_source_account_is_said_to_be_ours(world: World) -> None:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    world.store.commit(company_items.add_source_account(builders.source_account(connection, "account-2")))
    token = account_token(CONNECTION, "account-2")
    world.upstream.connections = [world.upstream.connections[0].but(account_token=token)]
    with pytest.raises(Invalid, match="another source account"):
        map_again(world)


def test_who_may_not_list_feed_connections_is_still_shown_the_accounts(world: World) -> None:
    def refuse(*_: object) -> None:
        raise Refused(builders.problem(type="invalid-application", status=403))

    world.upstream.feed_connections = refuse
    assert offered(world) == ["target"]
