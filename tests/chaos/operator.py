"""What operators, customers and platforms do while faults strike: mend, release, reconnect, remap, delete."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from feedlane.aws import queues as sqs
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.errors import Conflict, FeedlaneError, NotFound, ReconnectionNeeded
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.holds.release import release
from feedlane.link import connections
from feedlane.mapping import mapping, unmapping
from feedlane.scope import Scope
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.store.table import ConditionFailed
from tests.chaos import changes
from tests.chaos.causes import NEVER_TAKEN, Cause
from tests.chaos.table import Unreachable
from tests.chaos.world import Place, World

LASTS = 3000.0
# What a hold says when the account has to be mapped again.
NEW_MAPPING = frozenset({"feed-connection-gone"})
REMOVED, GONE = "xero_403_AuthenticationUnsuccessful", "xero_403_invalid-feed-connection"
DELETION_TAKES = 30.0
MOST_TRIES = 20


class Operator:
    def __init__(self, world: World) -> None:
        self.world = world
        self.cut_off: set[str] = set()
        """Tenants whose customer has revoked the app's access."""

    def plan(self) -> None:
        """A look every few minutes, and what else may happen in between."""
        at = 0.0
        while at < LASTS:
            at += self.world.rng.choice((20, 100, 400, 900)) * self.world.rng.random()
            self.world.timeline.at(self.world.timeline.seconds + at, self._glance)

    def _glance(self) -> None:
        world, strike = self.world, self.world.faults.strike
        if world.timeline.stalled:
            # Lambda ends an invocation after a minute: nobody has mended anything by then.
            return
        if strike("released_too_early"):
            self._do(self.release_all)
        elif world.rng.random() < 0.4:
            self._do(self.mend_and_release)
        self._change(world.rng.choice(world.places))
        if any(queue.dead for queue in world.queues.values()) and strike("redriven"):
            changes.redrive(world)

    def _change(self, place: Place) -> None:
        """What a customer or a platform does to an account, an organisation or a company."""
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
        companies_left = {one.company_id for one in world.places}
        if len(companies_left) > 1 and not world.deleted_companies and strike("company_deleted"):
            world.deleted_companies.add(place.company_id)
            self._do(lambda: self.delete_company(place))

    def _do(self, act: Callable[[], Any]) -> None:
        self.world.timeline.start("operator", act)

    # one thing each

    def mend_and_release(self) -> None:
        self.mend()
        self.release_all()

    def mend(self) -> None:
        """Every cause; what only customer or platform can mend included."""
        world = self.world
        for cause in list(world.causes.standing):
            self._mend(cause)
        for place in world.places:
            if world.is_deleted(place):
                self.delete_company(place)
                continue
            self._reconnect(place)
            changes.make_anew(world, place)
            changes.set_aside(world, place)
            if any(
                hold.reason in NEW_MAPPING for hold in hold_items.holds_on(world.store, [(Scope.FEED, place.feed_id)])
            ):
                self.unmap(place)
            self._map_again(place)
        self.switch(True)

    def release_all(self) -> None:
        for hold in hold_items.holds(self.world.store):
            self.release(hold)

    def release(self, hold: Hold) -> None:
        with suppress(NotFound, Conflict):
            release(self.world.ports, self.world.now, hold)
            self.world.faults.count("released")

    def unmap(self, place: Place) -> None:
        world = self.world
        account = company_items.find_source_account(world.store, place.connection_id, place.account_id)
        if account is not None and account.mapping is not None:
            connection = world.connection_of(place)
            unmapping.unmap(world.ports, world.upstream, world.now, connection, account)

    def switch(self, on: bool) -> None:
        world = self.world
        if settings_items.settings(world.store).bank_feeds != on:
            settings_changes.change_settings(world.ports, world.now, {"bank_feeds": on})

    def delete_company(self, place: Place) -> None:
        """A platform asks again until the company is gone: each time goes on where the last one ended."""
        world = self.world
        ports = (world.store, world.upstream, sqs.queues())
        for _ in range(MOST_TRIES):
            try:
                connections.delete_company(
                    world.ports, world.upstream, lambda connection: None, world.now, place.company_id
                )
            except NotFound:
                return
            except (FeedlaneError, ConditionFailed, Unreachable):
                world.timeline.sleep(2)
        if not world.faults.on:
            raise AssertionError(f"company {place.company_id} cannot be deleted")

    def _mend(self, cause: Cause) -> None:
        world = self.world
        if cause.kind == GONE and world.rng.random() < 0.4:
            # Xero's support brings it back; otherwise the platform maps the account again.
            found = world.sim.feed_connections.get(cause.subject)
            if found is not None:
                found.deleted_from = None
        elif cause.kind == GONE:
            gone = world.sim.feed_connections.get(cause.subject)
            for place in world.places:
                token = mapping.account_token(place.connection_id, place.account_id)
                if gone is not None and gone.account_token == token and not world.is_deleted(place):
                    self.unmap(place)
        if cause.kind not in (REMOVED, NEVER_TAKEN):
            world.causes.mend(cause)

    def _reconnect(self, place: Place) -> None:
        world = self.world
        removed = [one for one in world.causes.standing if one == Cause(REMOVED, place.tenant_id)]
        connection = world.connection_of(place)
        is_current = connection.tenant and connection.tenant.country == world.sim.organisations[place.tenant_id].country
        in_order = is_current and connection.status is ConnectionStatus.LINKED and place.tenant_id not in self.cut_off
        if in_order and not removed:
            return
        world.consent(connection, place.tenant_id, place.user_id)
        self.cut_off.discard(place.tenant_id)
        world.faults.count("reconnected")
        for cause in removed:
            world.causes.mend(cause)

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
        world.timeline.sleep(DELETION_TAKES)
        try:
            mapping.map_account(world.ports, world.upstream, world.now, connection, account, place.target_id)
            world.faults.count("mapped_again")
        except ReconnectionNeeded:
            # Link asks its customer to connect anew.
            self.cut_off.add(place.tenant_id)
        except FeedlaneError:
            return
        changes.reject_mapping(world, place)
