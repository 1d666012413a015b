"""Each function that works with Codat asks the vault for the key itself, and may."""

from __future__ import annotations

from feedlane.codat_upstream.api_keys import KEPT_FOR
from feedlane.feeds.push_operation import PushStatus
from feedlane.mapping.mapping import access_to
from tests import rights
from tests.rights import acting_as
from tests.worlds.codat import World
from tests.worlds.feeds import transactions


def test_whoever_works_with_codat_asks_for_the_key_when_theirs_is_old() -> None:
    world = World()
    world.add_account()
    world.codat.link.maps = "newAccounts"
    assert world.go_through_link().status == 302
    world.run()
    world.advance(seconds=KEPT_FOR.total_seconds() + 1)
    operation = world.push(transactions(2, day=world.now.date().isoformat()))
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    world.advance(seconds=KEPT_FOR.total_seconds() + 1)
    with acting_as("public_api"):
        world.upstream.target_accounts(access_to(world.current()))
    world.advance(seconds=KEPT_FOR.total_seconds() + 1)
    with acting_as("portal"):
        world.upstream.target_accounts(access_to(world.current()))
    assert {(who, "codat_key") for who in ("push_statements", "public_api", "portal")} <= rights.asked_of_vault
