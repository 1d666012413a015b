"""Changes beneath the feeds: accounts removed and created again, organisations that move, redrives."""

from __future__ import annotations

from contextlib import suppress

from feedlane.clock import local_date
from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.feeds.feed import Feed
from feedlane.feeds.set_aside_items import read_set_aside
from feedlane.holds import items as hold_items
from feedlane.holds.release import release
from feedlane.ids import account_token
from feedlane.mapping import unmapping
from feedlane.scope import Scope
from local.simulator.problems import problem
from local.simulator.time_zones import COUNTRY_ZONES
from tests.chaos import check_delivery
from tests.chaos.causes import NEVER_ACCEPTED
from tests.chaos.world import Place, World

EAST, WEST = "NZ", "US"


def remove_account(world: World, place: Place) -> None:
    account = company_items.find_source_account(world.store, place.connection_id, place.account_id)
    if account is not None:
        world.disconnected_here.add(place.feed_id)
        unmapping.remove_account(world.ports, world.upstream, world.now, world.connection_of(place), account)


def reject_mapping(world: World, place: Place) -> None:
    """Has Xero accept the new feed connection and reject it a while later."""
    account = company_items.find_source_account(world.store, place.connection_id, place.account_id)
    if account is None or account.mapping is None or account.status is not SourceAccountStatus.CONNECTING:
        return
    feed_connection = world.sim.feed_connections.get(account.mapping.feed_connection_id)
    if feed_connection is not None and world.faults.strike("mapping_rejected"):
        feed_connection.active_from = world.sim.after(world.rng.choice((1, 30, 400)))
        feed_connection.rejected = problem("feed-connected-in-different-organisation")


def recreate_account(world: World, place: Place) -> None:
    """Registers a removed account again under the same id."""
    if company_items.find_source_account(world.store, place.connection_id, place.account_id) is None:
        world.source_account(world.connection_of(place), place.account_id, place.number)
        world.faults.count("account_made_anew")


def move_west(world: World, place: Place) -> None:
    """Moves the organisation to where it is still yesterday; its customer reconnects it some time later."""
    organisation = world.sim.organisations[place.tenant_id]
    if organisation.country != EAST:
        return
    organisation.country, organisation.time_zone = WEST, COUNTRY_ZONES[WEST]
    for other in world.places:
        feed = world.feed(other)
        if feed is not None and other.tenant_id == place.tenant_id:
            world.faults.counts["lines_of_the_future"] += len(_future_lines(world, feed, other))
    world.timeline.sleep(world.rng.choice((0.0, 300.0, 900.0)))
    world.consent(world.connection_of(place), place.tenant_id, place.user_id)


def set_aside(world: World, place: Place) -> None:
    """Sets aside the line that the hold names, which is one that Xero never accepts: then the rest is sent."""
    token = account_token(place.connection_id, place.account_id)
    subjects = {cause: cause.subject.partition(" ") for cause in world.causes.active if cause.kind == NEVER_ACCEPTED}
    for cause, (owner, _, id) in subjects.items():
        feed = world.feed(place)
        if owner != token or feed is None:
            continue
        for hold in hold_items.holds_on(world.store, [(Scope.FEED, place.feed_id)]):
            with suppress(NotFound, Conflict, Invalid):
                if hold.transaction_id is not None:
                    release(world.ports, world.now, hold, [hold.transaction_id])
        feed = world.feed(place)
        if feed is not None and any(line.transaction_id == id for line in read_set_aside(world.store, feed.id)):
            world.causes.fix(cause)
            world.faults.count("set_aside")


def redrive(world: World) -> None:
    for queue in world.queues.values():
        queue.redrive()


def _future_lines(world: World, feed: Feed, place: Place) -> list[str]:
    today = local_date(world.now, COUNTRY_ZONES[WEST]).isoformat()
    lines = check_delivery.recorded(world, place)[feed.delivered_through :]
    return [line.id for line in lines if line.date > today]
