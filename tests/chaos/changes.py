"""What changes under the feeds: accounts removed and made anew, organisations that move, dead letters put back."""

from __future__ import annotations

from contextlib import suppress

from feedlane.aws import queues as sqs
from feedlane.clock import local_date
from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds.release import release
from feedlane.mapping import unmapping
from feedlane.mapping.mapping import account_token
from feedlane.scope import Scope
from local.simulator.organisations import TIME_ZONES
from local.simulator.problems import problem
from tests.chaos import check_road
from tests.chaos.causes import NEVER_TAKEN
from tests.chaos.world import Place, World

EAST, WEST = "NZ", "US"


def remove_account(world: World, place: Place) -> None:
    account = company_items.find_source_account(world.store, place.connection_id, place.account_id)
    if account is not None:
        ports = (world.store, world.upstream, sqs.queues(), world.now, world.new_id)
        unmapping.remove_account(world.ports, world.upstream, world.now, world.connection_of(place), account)


def reject_mapping(world: World, place: Place) -> None:
    """Xero works on the new feed connection for a while, and rejects it."""
    account = company_items.find_source_account(world.store, place.connection_id, place.account_id)
    if account is None or account.mapping is None or account.status is not SourceAccountStatus.CONNECTING:
        return
    found = world.sim.feed_connections.get(account.mapping.feed_connection_id)
    if found is not None and world.faults.strike("mapping_rejected"):
        found.active_from = world.sim.after(world.rng.choice((1, 30, 400)))
        found.rejected = problem("feed-connected-in-different-organisation")


def make_anew(world: World, place: Place) -> None:
    """The platform registers a removed account again, under the id that it had."""
    if company_items.find_source_account(world.store, place.connection_id, place.account_id) is None:
        world.source_account(world.connection_of(place), place.account_id, place.number)
        world.faults.count("account_made_anew")


def move_west(world: World, place: Place) -> None:
    """The organisation moves to where it is still yesterday, and its customer connects it again by and by."""
    organisation = world.sim.organisations[place.tenant_id]
    if organisation.country != EAST:
        return
    organisation.country, organisation.time_zone = WEST, TIME_ZONES[WEST][0]
    for other in world.places:
        feed = world.feed(other)
        if feed is not None and other.tenant_id == place.tenant_id:
            world.faults.counts["lines_of_the_future"] += len(_of_the_future(world, feed, other))
    world.timeline.sleep(world.rng.choice((0.0, 300.0, 900.0)))
    world.consent(world.connection_of(place), place.tenant_id, place.user_id)


def set_aside(world: World, place: Place) -> None:
    """A line that Xero never takes is left out; the rest of its feed goes on."""
    token = account_token(place.connection_id, place.account_id)
    named = {cause: cause.subject.partition(" ") for cause in world.causes.standing if cause.kind == NEVER_TAKEN}
    for cause, (of, _, id) in named.items():
        feed = world.feed(place)
        if of != token or feed is None:
            continue
        for hold in hold_items.holds_on(world.store, [(Scope.FEED, place.feed_id)]):
            with suppress(NotFound, Conflict, Invalid):
                release(world.ports, world.now, hold, [id])
        feed = world.feed(place)
        if feed is not None and any(line.transaction_id == id for line in feed.set_aside):
            world.causes.mend(cause)
            world.faults.count("set_aside")


def redrive(world: World) -> None:
    for queue in world.queues.values():
        queue.redrive()


def _of_the_future(world: World, feed: Feed, place: Place) -> list[str]:
    today = local_date(world.now, TIME_ZONES[WEST][0]).isoformat()
    lines = check_road.recorded(world, place)[feed.delivered_through :]
    return [line.id for line in lines if line.date > today]
