"""Daily care for connections: token sets are kept alive, and connections that ended at Xero are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from feedlane.clock import Clock
from feedlane.connection import Connection, ConnectionStatus
from feedlane.disconnecting import disconnection
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.ids import NewId, fingerprint
from feedlane.problem import Problem
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.vault import Vault
from feedlane.xero.connections import XeroConnections

ENOUGH_TIME = timedelta(seconds=20)
REMOVED = Problem(
    type="connection-removed",
    title="Connection removed",
    status=401,
    detail="The organisation is no longer connected to the app: it was disconnected in Xero.",
)


@dataclass(frozen=True)
class Tended:
    """What a round found. `resume_after` is the connection to go on behind, if the time ran out."""

    seen: int
    ended: int
    unknown: int
    resume_after: str | None


@dataclass(frozen=True)
class Tender:
    store: Store
    vault: Vault
    connections: XeroConnections
    clock: Clock
    new_id: NewId

    def tend(self, after: str, time_left: Callable[[], timedelta]) -> Tended:
        """Looks at linked connections in the order of their ids, from behind `after`, while there is time.

        Asking for an access token refreshes an old token set; one call per token set lists all its connections.
        """
        seen = ended = unknown = 0
        lists: dict[str, set[str] | Problem | None] = {}
        for connection in self._linked(after):
            if time_left() < ENOUGH_TIME:
                return Tended(seen, ended, unknown, after)
            after = connection.id
            seen += 1
            found = self._tenants(connection.token_set_id or "", lists)
            if found is None:
                unknown += 1
            elif isinstance(found, Problem):
                ended += self._end(connection, found)
            elif connection.tenant is not None and connection.tenant.id not in found:
                ended += self._end(connection, REMOVED)
        return Tended(seen, ended, unknown, None)

    def _linked(self, after: str) -> Iterable[Connection]:
        start = f"{after}~" if after else None
        for item in self.store.table.query(keys.CONNECTIONS, start=start, index=True):
            connection = Connection.model_validate(item)
            if connection.status is ConnectionStatus.LINKED:
                yield connection

    def _tenants(self, token_set_id: str, lists: dict[str, set[str] | Problem | None]) -> set[str] | Problem | None:
        """The tenants that the token set reaches, why it reaches none, or None: not known now."""
        if token_set_id not in lists:
            lists[token_set_id] = self._listed(token_set_id)
        return lists[token_set_id]

    def _listed(self, token_set_id: str) -> set[str] | Problem | None:
        rejected = None
        for _ in range(2):
            try:
                token = self.vault.access_token(token_set_id, rejected)
            except ReconnectionNeeded as error:
                return error.problem
            except (AppKeysRejected, Unavailable):
                return None  # not the customer's doing: tomorrow's round looks again
            try:
                return {found.tenant_id for found in self.connections.listed(token.value)}
            except (ReconnectionNeeded, Refused):
                # The token ended early: another one tells. Only the vault knows whether there is none any more.
                rejected = fingerprint(token.value)
            except Unavailable:
                return None
        return None

    def _end(self, connection: Connection, problem: Problem) -> int:
        company = self.store.company(connection.company_id)
        try:
            writes = disconnection(self.store, connection, problem, company, self.clock(), self.new_id)
            self.store.commit(*writes)
        except ConditionFailed:
            return 0  # somebody reconnected or unlinked it at this moment
        return 1
