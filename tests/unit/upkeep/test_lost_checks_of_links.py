"""What a customer has linked, mapped or removed comes to its end although the message to that is lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus, UpstreamName
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import FeedConnection
from feedlane.link import start_window, state_items, upstream_change
from feedlane.link.consent_end import ConsentEnd
from feedlane.link.state import LINK_STATE_LIFETIME, LinkState
from feedlane.settings import items as settings_items
from feedlane.settings.settings import CodatFacts
from feedlane.statements import in_flight
from feedlane.store.due import next_look
from tests.account_actions import map_again, remove, unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.rights import acting_as
from tests.unit.upkeep.lost import LossyWorld
from tests.unit.upkeep.scenarios import put_on_the_queue
from tests.worlds.feeds import transactions


@pytest.mark.parametrize("waiting", [0, 2])
def test_a_feed_connection_is_followed_although_its_check_is_lost(waiting: int) -> None:
    world = LossyWorld()
    if waiting:
        world.record(world.message(transactions(waiting)))
    unmap(world)
    new = FeedConnection(id="fc-new", account_token="token", account_id="target", active=False)
    world.upstream.create_feed_connection = lambda *_: new
    map_again(world)
    assert "FeedConnectionCheck" in world.lose_all()
    world.upstream.connections = [new]
    # While Xero is setting it up, the watch follows it, and no chain of checks grows
    world.watch(runs=20)
    assert world.lose_all() == []
    world.upstream.connections = [new.but(active=True)]
    world.watch()
    assert company_items.source_account(world.store, CONNECTION, ACCOUNT).status == "connected"
    assert world.sent_ids() == ["t1", "t2"][:waiting]
    world.watch(runs=3)
    assert world.listed() == {}


def test_operations_of_a_removed_account_fail_although_its_check_is_lost() -> None:
    world = LossyWorld()
    put_on_the_queue(world)
    with patch("feedlane.mapping.unmapping.fail_removed_account"):
        remove(world)
    assert "RemovedAccountCheck" in world.lose_all()
    world.watch()
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
    world.watch(runs=3)
    assert world.listed() == {}


def test_feeds_get_the_new_token_set_although_the_check_of_the_consent_is_lost() -> None:
    world = LossyWorld()
    linked = company_items.connection(world.store, COMPANY, CONNECTION)
    renewed = linked.but(token_set_id="tokens-new", look=next_look(world.now))
    world.store.commit(company_items.put_connection(renewed))
    world.watch()
    assert world.feed().token_set_id == "tokens-new"
    world.watch(runs=3)
    assert world.listed() == {}


def test_one_off_access_ends_although_its_check_is_lost() -> None:
    world = LossyWorld()
    linked = company_items.connection(world.store, COMPANY, CONNECTION)
    ends = world.now + timedelta(minutes=30)
    world.store.commit(company_items.put_connection(linked.but(access_ends=ends, look=next_look(world.now))))
    world.watch(runs=2)
    assert company_items.connection(world.store, COMPANY, CONNECTION).is_linked
    world.watch(runs=3)
    assert company_items.connection(world.store, COMPANY, CONNECTION).status is ConnectionStatus.DEAUTHORIZED
    world.watch(runs=3)
    assert world.listed() == {}


def test_the_upstream_changes_although_its_check_is_lost() -> None:
    world = LossyWorld()
    settings = settings_items.settings(world.store).but(codat=CodatFacts(ending="wxyz"))
    world.store.commit(settings_items.put_settings(settings))
    put_on_the_queue(world)
    world.step()
    doubt, ids = partial(in_flight.has_doubt, world.ports), (COMPANY, CONNECTION)
    with acting_as("public_api"):
        upstream_change.change(
            world.ports, world.upstream, lambda _: None, doubt, world.now, *ids, UpstreamName.CODAT
        )  # fmt: skip
    assert company_items.connection(world.store, *ids).is_stopping
    assert "UpstreamChangeCheck" in world.lose_all()
    world.watch(runs=4)
    assert company_items.connection(world.store, *ids).upstream is UpstreamName.CODAT
    assert world.sent_ids() == ["t1", "t2", "t3"]
    world.watch(runs=3)
    assert [key for key in world.listed() if "/LEFT#" not in key] == [], "only the grant is still to be revoked"


@pytest.mark.parametrize("used", [False, True])
def test_an_unanswered_start_is_reported_without_any_message(used: bool) -> None:
    world = LossyWorld()
    connection = company_items.connection(world.store, COMPANY, CONNECTION).but(
        status=ConnectionStatus.PENDING_AUTH, linked_on=None
    )
    world.store.commit(company_items.put_connection(connection))
    state = LinkState(
        fingerprint="f",
        browser="b",
        company_id=COMPANY,
        connection_id=CONNECTION,
        expires=world.now + LINK_STATE_LIFETIME,
    )
    start_window.store_start(world.store, state, state_items.add_state(state))
    assert world.lose_all() == []
    if used:
        world.store.commit(*ConsentEnd(state).failure_writes())
    assert world.watch(runs=4) == Counter()
    assert world.event_types == ([] if used else ["connection.authorizationUnanswered"])
    assert world.listed() == {}
