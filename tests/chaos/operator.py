"""What operators, customers and platforms do while faults strike: fix, release, reconnect, remap, delete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.errors import Conflict, FeedlaneError, LimitReached, NotFound, ReconnectionNeeded, Unavailable
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.holds.release import release
from feedlane.ids import account_token
from feedlane.link import connections
from feedlane.mapping import mapping, unmapping
from feedlane.scope import Scope
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.store.table import ConditionFailed
from tests.chaos import changes, doubts
from tests.chaos.causes import NEVER_ACCEPTED, Cause
from tests.chaos.table import Unreachable
from tests.chaos.world import Place, World
from tests.rights import acting_as

STORM_SECONDS = 3000.0
# The holds whose account has to be mapped again.
NEW_MAPPING = frozenset({"feed-connection-gone"})
REMOVED, GONE = "xero_403_AuthenticationUnsuccessful", "xero_403_invalid-feed-connection"
DELETION_SECONDS = 30.0
TRIES_MAX = 20


class Operator:
    def __init__(self, world: World) -> None:
        self.world = world
        self.cut_off: set[str] = set()
        """Tenants whose customer has revoked the app's access."""

    def plan(self) -> None:
        """Schedules a visit every few minutes, with what else may happen at that time."""
        at = 0.0
        while at < STORM_SECONDS:
            at += self.world.rng.choice((20, 100, 400, 900)) * self.world.rng.random()
            self.world.timeline.at(self.world.timeline.seconds + at, self._visit)

    def _visit(self) -> None:
        world, strike = self.world, self.world.faults.strike
        if world.timeline.stalled:
            # Lambda ends an invocation after a minute: no operator is that fast.
            return
        if strike("released_too_early"):
            self._do(self.release_all)
        elif world.rng.random() < 0.4:
            self._do(self.fix_and_release)
        self._change(world.rng.choice(world.places))
        if any(queue.dead for queue in world.queues.values()) and strike("redriven"):
            changes.redrive(world)

    def _change(self, place: Place) -> None:
        """A customer or a platform may change an account, an organisation or a company."""
        world, strike = self.world, self.world.faults.strike
        if strike("unmapped"):
            self._do(lambda: self.unmap(place))
        if strike("account_removed"):
            self._do(lambda: changes.remove_account(world, place))
        if strike("zone_moved"):
            self._do(lambda: changes.move_west(world, place))
        if strike("token_revoked"):
            self._revoke(place)
        if strike("feeds_switched_off"):
            self._do(lambda: self.switch(False))
        company_ids = {other.company_id for other in world.places}
        if len(company_ids) > 1 and not world.deleted_companies and strike("company_deleted"):
            world.deleted_companies.add(place.company_id)
            self._do(lambda: self.delete_company(place))
        connection_ids = {other.connection_id for other in world.places if not world.is_deleted(other)}
        if len(connection_ids) > 1 and not world.deleted_connections and strike("connection_deleted"):
            world.deleted_connections.add(place.connection_id)
            self._do(lambda: self.delete_connection(place))

    @acting_as("public_api")
    def delete_connection(self, place: Place) -> None:
        world, ids = self.world, (place.company_id, place.connection_id)
        world.disconnected_here |= {other.feed_id for other in world.places if other.connection_id == ids[1]}
        self._delete(
            lambda: connections.delete(world.ports, world.upstream, self.disconnect, world.now, *ids),
            f"connection {place.connection_id}",
        )

    def _do(self, act: Callable[[], Any]) -> None:
        self.world.timeline.start("operator", act)

    # single actions

    def fix_and_release(self) -> None:
        self.fix()
        self.release_all()

    def fix(self) -> None:
        """Fixes every cause, including those that only the customer or the platform can fix."""
        world = self.world
        self._fix_causes()
        for place in world.places:
            if place.company_id in world.deleted_companies:
                self.delete_company(place)
                continue
            if world.is_deleted(place):
                self.delete_connection(place)
                continue
            self._reconnect(place)
            changes.recreate_account(world, place)
            changes.set_aside(world, place)
            doubts.resolve_told(world, place)
            if any(
                hold.reason in NEW_MAPPING for hold in hold_items.holds_on(world.store, [(Scope.FEED, place.feed_id)])
            ):
                self.unmap(place)
            self._map_again(place)
        self.switch(True)

    def release_all(self) -> None:
        for hold in hold_items.holds(self.world.store):
            self.release(hold)

    @acting_as("public_api", "portal")
    def release(self, hold: Hold) -> None:
        with suppress(NotFound, Conflict):
            release(self.world.ports, self.world.now, hold)
            self.world.faults.count("released")

    @acting_as("public_api", "link")
    def unmap(self, place: Place) -> None:
        world = self.world
        account = company_items.find_source_account(world.store, place.connection_id, place.account_id)
        if account is not None and account.mapping is not None:
            world.disconnected_here.add(place.feed_id)
            connection = world.connection_of(place)
            with suppress(Unavailable):  # the next visit tries again
                unmapping.unmap(world.ports, world.upstream, world.now, connection, account)

    @acting_as("public_api", "portal")
    def switch(self, on: bool) -> None:
        world = self.world
        if settings_items.settings(world.store).bank_feeds != on:
            settings_changes.change_settings(world.ports, world.now, {"bank_feeds": on})

    @acting_as("public_api")
    def delete_company(self, place: Place) -> None:
        """Retries until the company is gone; each attempt continues where the last one ended.

        Gives up during a storm or an outage: the next visit tries again. Once all is calm, the deletion must succeed.
        """
        self._delete(
            lambda: connections.delete_company(
                self.world.ports, self.world.upstream, self.disconnect, self.world.now, place.company_id
            ),
            f"company {place.company_id}",
        )

    def _delete(self, delete: Callable[[], None], what: str) -> None:
        world, tries = self.world, Counter[bool]()
        while tries[is_calm := self._is_calm()] < TRIES_MAX:
            tries[is_calm] += 1
            try:
                delete()
            except NotFound:
                return
            except (FeedlaneError, ConditionFailed, Unreachable) as error:
                # The vault forces a refresh only so often: a token that was revoked when it was new takes a while. And
                # Xero may have asked for a wait of a day.
                asked = error.retry_after or 0 if isinstance(error, LimitReached) else 0
                world.timeline.sleep(2 if tries[is_calm] <= TRIES_MAX / 2 else max(120, asked))
        if is_calm:
            raise AssertionError(f"{what} cannot be deleted")

    def _is_calm(self) -> bool:
        faults = self.world.faults
        return not faults.on and self.world.timeline.seconds > faults.outages.last_end + DELETION_SECONDS

    def disconnect(self, connection: Connection) -> None:
        """Ends the connection at the upstream: of a company that is deleted, what is at Xero is of no interest."""
        world = self.world
        if connection.id in world.deleted_connections and connection.tenant is not None:
            for one in world.sim.live_connections():
                if one.tenant_id == connection.tenant.id:
                    one.removed = True

    def _fix_causes(self) -> None:
        for cause in list(self.world.causes.active):
            self._fix(cause)

    def _fix(self, cause: Cause) -> None:
        world = self.world
        if cause.kind == GONE and world.rng.random() < 0.4:
            # Xero's support restores it; otherwise the platform maps the account again.
            feed_connection = world.sim.feed_connections.get(cause.subject)
            if feed_connection is not None:
                feed_connection.deleted_from = None
        elif cause.kind == GONE:
            gone = world.sim.feed_connections.get(cause.subject)
            for place in world.places:
                token = account_token(place.connection_id, place.account_id)
                if gone is not None and gone.account_token == token and not world.is_deleted(place):
                    self.unmap(place)
        if cause.kind not in (REMOVED, NEVER_ACCEPTED):
            world.causes.fix(cause)

    def _reconnect(self, place: Place) -> None:
        world = self.world
        removed = [cause for cause in world.causes.active if cause == Cause(REMOVED, place.tenant_id)]
        connection = world.connection_of(place)
        is_current = connection.tenant and connection.tenant.country == world.sim.organisations[place.tenant_id].country
        in_order = is_current and connection.status is ConnectionStatus.LINKED and place.tenant_id not in self.cut_off
        if in_order and not removed:
            return
        world.consent(connection, place.tenant_id, place.user_id)
        self.cut_off.discard(place.tenant_id)
        world.faults.count("reconnected")
        for cause in removed:
            world.causes.fix(cause)

    def _revoke(self, place: Place) -> None:
        for (_, user_id), grant in self.world.sim.grants.items():
            if user_id == place.user_id:
                grant.revoked = True
        self.cut_off.add(place.tenant_id)

    def _map_again(self, place: Place) -> None:
        world = self.world
        account = company_items.find_source_account(world.store, place.connection_id, place.account_id)
        connection = world.connection_of(place)
        if account is None or account.mapping is not None or not connection.is_linked:
            return
        world.timeline.sleep(DELETION_SECONDS)
        try:
            mapping.map_account(world.ports, world.upstream, world.now, connection, account, place.target_id)
            world.faults.count("mapped_again")
        except ReconnectionNeeded:
            # Link asks the customer to reconnect.
            self.cut_off.add(place.tenant_id)
        except FeedlaneError:
            return
        self._reject_mapping(place)

    def _reject_mapping(self, place: Place) -> None:
        changes.reject_mapping(self.world, place)
