"""What Xero says of an organisation is fresh after the daily round, and so is the "today" of its doors and feeds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, Tenant
from feedlane.companies.shapes import company_information_json, connection_json
from feedlane.errors import Unavailable
from feedlane.feeds import items as feed_items
from feedlane.ids import feed_id
from feedlane.link import recovery
from feedlane.link.recovery import RecoveryCheck
from tests import builders
from tests.rights import acting_as
from tests.worlds.upkeep import World


@pytest.fixture
def world() -> World:
    """One connection, to an organisation that has since been changed in Xero."""
    world = World(1, seed=3)
    world.xero.tenants_now[tenant_of(world).id] = tenant_of(world).but(
        name="Harbour Bakery & Sons",
        xero_connection_id=f"xero-{tenant_of(world).id}",
        base_currency="NZD",
        country="NZ",
        plan="ULTIMATE",
        time_zone="Pacific/Auckland",
        currencies=("NZD", "GBP"),
        multicurrency=True,
    )
    return world


def connection_of(world: World) -> Connection:
    [linked] = world.linked
    return company_items.connection(world.store, linked.company_id, linked.id)


def tenant_of(world: World) -> Tenant:
    tenant = connection_of(world).tenant
    assert tenant
    return tenant


def add_feed(world: World) -> None:
    feed = builders.feed(connection_of(world), time_zone="Europe/London")
    world.store.commit(company_items.add_source_account(builders.mapped_account(feed)), feed_items.add_feed(feed))


def test_the_round_brings_what_changed_in_xero_to_the_api(world: World) -> None:
    world.run_until_finished()
    assert tenant_of(world) == world.xero.tenants_now[tenant_of(world).id]
    assert company_information_json(connection_of(world)) == {
        "companyName": "Harbour Bakery & Sons",
        "baseCurrency": "NZD",
        "planType": "ULTIMATE",
        "multicurrencyEnabled": True,
        "currencies": ["NZD", "GBP"],
    }
    assert connection_json(connection_of(world), "")["connectionInfo"]["tenantName"] == "Harbour Bakery & Sons"


def test_a_new_time_zone_reaches_the_feeds(world: World) -> None:
    connection = connection_of(world)
    add_feed(world)
    world.run_until_finished()
    [(check, _)] = world.queues.follow_ups
    assert isinstance(check, RecoveryCheck)
    with acting_as("check_statements"):
        recovery.check(world.ports, world.now, check)
    feed = feed_items.find_feed(world.store, feed_id(connection.id, "account-1"))
    assert feed
    assert feed.time_zone == "Pacific/Auckland"


def test_the_watch_finds_a_feed_that_the_lost_message_left_in_the_old_time_zone(world: World) -> None:
    add_feed(world)
    world.run_until_finished()
    world.queues.follow_ups.clear()
    assert connection_of(world).look is not None
    item = company_items.put_connection(connection_of(world)).item
    assert recovery.look(world.ports, world.now, item).rung


def test_an_organisation_that_does_not_answer_is_asked_again_and_its_name_is_fresh_at_once(world: World) -> None:
    world.xero.no_details[tenant_of(world).id] = 1
    world.run()
    assert (tenant_of(world).name, tenant_of(world).plan) == ("Harbour Bakery & Sons", "")
    assert not world.ended
    world.run_until_finished()
    assert tenant_of(world).plan == "ULTIMATE"


def test_what_has_not_changed_is_not_written_again(world: World) -> None:
    world.run_until_finished()
    version = connection_of(world).version
    world.now += timedelta(days=1)
    world.run_until_finished()
    assert connection_of(world).version == version


def test_a_reconnection_meanwhile_wins(world: World) -> None:
    """The answer about the organisation is older than what the consent has just stored."""
    real = world.xero.details

    def reconnect_and_answer(token_set_id: str, organisation: object) -> Tenant:
        world.xero.details = real  # type: ignore[method-assign]
        connection = connection_of(world)
        with acting_as("oauth_callback"):
            world.store.commit(company_items.put_connection(connection.but(scopes=("bankfeeds",))))
        raise Unavailable("too late")

    world.xero.details = reconnect_and_answer  # type: ignore[method-assign, assignment]
    world.run()
    assert connection_of(world).scopes == ("bankfeeds",)
    world.run_until_finished()
    assert tenant_of(world).plan == "ULTIMATE"
