"""Removes at Xero and in the vault what no connection here uses any more: places, and the grants of users.

Both are in the due index, so that a crash or an outage forgets none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.organisations import ListedOrganisations
from feedlane.companies.places import Place, free_place
from feedlane.credentials import grants
from feedlane.credentials.grants import UNUSED_AFTER
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.link import recovery
from feedlane.link.ending import end_connection
from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.store import due, keys
from feedlane.store.due import NOTHING_LEFT, Kind, Look
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Delete, Index, Item, Key, When

# Of one kind in one run.
LOOKS_MAX = 300
LOOKS_TIME = timedelta(seconds=15)
# After these, Xero or the vault is unreachable: the next run goes on.
FAILURES_MAX = 3
RETRY_AFTER = timedelta(hours=1)
LOOK_EVERY = timedelta(days=1)


class Removed(Record):
    """How many places at Xero were freed, and how many token sets revoked and deleted."""

    places: int = 0
    token_sets: int = 0
    failed: tuple[str, ...] = ()


@dataclass
class Leftovers:
    ports: Ports
    vault: Vault
    organisations: ListedOrganisations
    _failed: list[str] = field(default_factory=list)

    def remove(self) -> Removed:
        """Concurrent runs are safe: what is gone already is no error."""
        self._failed = []
        # Places first: without its token set, one can only be freed with the app's own token.
        places = self._look_at_all(Kind.PLACE, self._look_at_place)
        token_sets = self._look_at_all(Kind.GRANT, self._look_at_grant)
        return Removed(places=places, token_sets=token_sets, failed=tuple(self._failed))

    def _look_at_all(self, kind: Kind, look: Callable[[datetime, Item], Look | None]) -> int:
        """How many were removed: `look` answers None for those."""
        store, stop, removed, failures = self.ports.store, self.ports.clock() + LOOKS_TIME, 0, 0
        for key in due.overdue(store, kind, self.ports.clock(), LOOKS_MAX):
            now = self.ports.clock()
            if now > stop or failures == FAILURES_MAX:
                break
            item = store.table.get(key)
            if item is None or not due.is_overdue(item, now):
                continue  # the index lags
            try:
                again = look(now, item)
            except ConditionFailed:
                continue  # it has just changed: the next run looks again
            except (Unavailable, AppKeysRejected, Refused) as error:
                failures += 1
                self._failed.append(f"{_name(key)}: {type(error).__name__}")
                again = Look(again=now + RETRY_AFTER)
            removed += again is None
            if again is not None:
                with suppress(ConditionFailed):
                    store.commit(due.after_look(item, again))
        return removed

    def _look_at_grant(self, now: datetime, item: Item) -> Look | None:
        """Revokes and deletes a token set that no connection uses. It may be that of several connections."""
        id, key = str(item["token_set_id"]), (item["pk"], item["sk"])
        granted = grants.last_granted(self.ports.store, id)
        is_left = key != keys.grant(id)
        if granted is not None:
            free_at = datetime.fromisoformat(granted) + UNUSED_AFTER
            if now < free_at:
                return Look(again=free_at)  # the customer may be about to link it
            if any(_uses(connection, id, now) for connection in _users(self.ports.store, id)):
                return NOTHING_LEFT if is_left else Look(again=now + LOOK_EVERY)
            self.vault.revoke(id)
            # Unless the user has consented again meanwhile.
            self.ports.store.commit(Delete(keys.grant(id), When(equal={"granted": granted})))
        if is_left:
            self.ports.store.commit(Delete(key))
        return NOTHING_LEFT if granted is None else None

    def _look_at_place(self, now: datetime, item: Item) -> Look | None:
        """Ends a connection at Xero that none here stands for. Its place is kept while one may still recover."""
        place = Place.model_validate(item)
        connections = _connections(self.ports.store, _markers(self.ports.store, place.tenant_id))
        of_tenant = [other for other in connections if other.tenant and other.tenant.id == place.tenant_id]
        if not any(connection.is_linked for connection in of_tenant):
            if of_tenant:
                return NOTHING_LEFT  # it waits for its customer, or to be unlinked
            self._end_at_xero(place)
        unchanged = When(equal={"since": item["since"]})
        self.ports.store.commit(Delete(free_place(place.tenant_id).key, unchanged))
        return None

    def _end_at_xero(self, place: Place) -> None:
        """With the user's token, or, if the grant has ended, with the app's own."""
        try:
            end_connection(self.vault, self.organisations, place.token_set_id, place.xero_connection_id)
        except ReconnectionNeeded:
            token = self.vault.app_token()
            try:
                self.organisations.delete(token.value, place.xero_connection_id)
            except ReconnectionNeeded as error:
                raise Unavailable(f"Xero refuses the app's own token ({error.problem.sentence})") from None


def _users(store: Store, token_set_id: str) -> list[Connection]:
    """The connections that were linked with it and not unlinked since, as they are now."""
    return _connections(store, store.table.query(keys.token_set_users(token_set_id), index=Index.LISTS))


def _uses(connection: Connection, token_set_id: str, now: datetime) -> bool:
    """Whether the connection is linked with it, or could recover with it."""
    return connection.token_set_id == token_set_id and recovery.may_recover(connection, now)


def _markers(store: Store, tenant_id: str) -> list[Item]:
    return list(store.table.query(keys.tenant(tenant_id), prefix="LINKED#"))


def _connections(store: Store, markers: Iterable[Item]) -> list[Connection]:
    found = (company_items.find_connection(store, item["company_id"], item["connection_id"]) for item in markers)
    return [connection for connection in found if connection is not None]


def _name(key: Key) -> str:
    return "/".join(key)
