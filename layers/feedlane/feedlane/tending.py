"""Daily care for connections: token sets are kept alive, and connections that ended at Xero are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from feedlane import recovering
from feedlane.clock import Clock
from feedlane.connection import Connection
from feedlane.disconnecting import disconnection
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Unavailable
from feedlane.ids import NewId
from feedlane.problem import Problem
from feedlane.queues import Queues
from feedlane.reconnection import REMOVED
from feedlane.recovering import Reach
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.vault import Vault
from feedlane.xero.connections import XeroConnections

ENOUGH_TIME = timedelta(seconds=20)


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
    queues: Queues

    def tend(self, after: str, time_left: Callable[[], timedelta]) -> Tended:
        """Looks at connections that are linked, or were lately, in the order of their ids, while there is time.

        From behind `after`. Asking for an access token refreshes an old token set; one call per token set lists all
        its connections.
        """
        seen = ended = unknown = 0
        lists: dict[str, Reach | Problem | None] = {}
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
            elif connection.tenant is not None and connection.tenant.id not in found.tenants:
                ended += self._end(connection, REMOVED)
            else:
                recovering.listed(self.store, self.queues, self.clock(), self.new_id, connection, found.scopes)
        return Tended(seen, ended, unknown, None)

    def _linked(self, after: str) -> Iterable[Connection]:
        start = f"{after}~" if after else None
        for item in self.store.table.query(keys.CONNECTIONS, start=start, index=True):
            connection = Connection.model_validate(item)
            if recovering.is_worth_a_look(connection, self.clock()):
                yield connection

    def _tenants(self, token_set_id: str, lists: dict[str, Reach | Problem | None]) -> Reach | Problem | None:
        """What the token set reaches, why it reaches nothing, or None: not known now."""
        if token_set_id not in lists:
            lists[token_set_id] = self._listed(token_set_id)
        return lists[token_set_id]

    def _listed(self, token_set_id: str) -> Reach | Problem | None:
        try:
            token = self.vault.access_token(token_set_id)
            tenants = frozenset(found.tenant_id for found in self.connections.listed(token.value))
            return Reach(tenants, token.scopes)
        except ReconnectionNeeded as error:
            return error.problem
        except (AppKeysRejected, Unavailable):
            return None  # not the customer's doing: tomorrow's round looks again

    def _end(self, connection: Connection, problem: Problem) -> int:
        company = self.store.company(connection.company_id)
        try:
            writes = disconnection(self.store, connection, problem, company, self.clock(), self.new_id)
            if not writes:
                return 0  # it had ended before
            self.store.commit(*writes)
        except ConditionFailed:
            return 0  # somebody reconnected or unlinked it at this moment
        return 1
