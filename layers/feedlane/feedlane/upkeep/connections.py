"""Daily care for connections: token sets are kept alive, and connections that ended at Xero are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.connection_end import disconnection_writes
from feedlane.companies.organisations import ListedOrganisation, ListedOrganisations
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.ids import fingerprint
from feedlane.link import recovery
from feedlane.link.recovery import TokenSetAccess
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.store import keys
from feedlane.store.table import ConditionFailed

PAGE_SIZE = 50
TIME_LEFT_MIN = timedelta(seconds=20)
# Xero or the vault is out of reach, and not one customer's token set: no sense in asking for the others now.
UNKNOWNS_IN_A_ROW_MAX = 3
# Whoever asks to be left alone for longer than this many seconds is left alone by the whole run.
SHORT_WAIT_SECONDS_MAX = 5


@dataclass(frozen=True)
class Unknown:
    """Nobody could say: an outage, a lost answer. `wait` is how many seconds to leave the other side alone."""

    wait: int = 0


AccessAnswer = TokenSetAccess | Problem | Unknown


@dataclass(frozen=True)
class CheckResult:
    """What was found. `unknown` names companies and connections of which nothing could be said now.

    `resume_after` is the connection to go on behind, None behind the last. `stop`: not now, the time ran out or
    the other side wants to be left alone.
    """

    seen: int
    ended: int
    unknown: tuple[tuple[str, str], ...]
    resume_after: str | None
    stop: bool = False


@dataclass(frozen=True)
class ConnectionCheck:
    """`pace` is waited for before Xero is asked."""

    ports: Ports
    vault: Vault
    organisations: ListedOrganisations
    pace: Callable[[], None] = lambda: None

    def check_page(self, after: str, time_left: Callable[[], timedelta]) -> CheckResult:
        """Looks at those that are linked, or were lately, among the next connections in the order of their ids."""
        start = f"{after}~" if after else None
        found = list(self.ports.store.table.query(keys.CONNECTIONS, start=start, limit=PAGE_SIZE, index=True))
        page = [Connection.model_validate(item) for item in found]
        tended, through = self._check_all(page, time_left)
        if through < len(page):
            return _with_resume_point(tended, page[through - 1].id if through else after)
        return _with_resume_point(tended, page[-1].id if len(page) == PAGE_SIZE else None)

    def recheck(self, ids: Sequence[tuple[str, str]], time_left: Callable[[], timedelta]) -> CheckResult:
        """Looks at these connections. Those that there was no time for are unknown still."""
        found = [company_items.find_connection(self.ports.store, company_id, id) for company_id, id in ids]
        page = [connection for connection in found if connection is not None]
        tended, through = self._check_all(page, time_left)
        left = tuple((one.company_id, one.id) for one in page[through:])
        return CheckResult(tended.seen, tended.ended, (*tended.unknown, *left), None, tended.stop)

    def _check_all(self, page: Sequence[Connection], time_left: Callable[[], timedelta]) -> tuple[CheckResult, int]:
        """What was found, and how many of the page were looked at.

        The page was read before Xero is asked, and a connection is ended on condition that it is as it was read: so
        Xero's answer is about that state of it. Asking for an access token refreshes an old token set; one call per
        token set lists all its connections.
        """
        lists: dict[str, AccessAnswer] = {}
        seen = ended = in_a_row = 0
        unknown: list[tuple[str, str]] = []
        for number, connection in enumerate(page):
            if time_left() < TIME_LEFT_MIN:
                return CheckResult(seen, ended, tuple(unknown), None, stop=True), number
            if not recovery.should_check(connection, self.ports.clock()):
                continue
            seen += 1
            found = self._tenants(connection.token_set_id or "", lists)
            if isinstance(found, Unknown):
                unknown.append((connection.company_id, connection.id))
                in_a_row += 1
                if found.wait > SHORT_WAIT_SECONDS_MAX or in_a_row >= UNKNOWNS_IN_A_ROW_MAX:
                    return CheckResult(seen, ended, tuple(unknown), None, stop=True), number + 1
                continue
            in_a_row = 0
            if isinstance(found, Problem):
                ended += self._end(connection, found)
            elif connection.tenant is not None and connection.tenant.id not in found.tenants:
                ended += self._end(connection, CONNECTION_REMOVED)
            else:
                recovery.apply_listing(self.ports, self.ports.clock(), connection, found.scopes)
        return CheckResult(seen, ended, tuple(unknown), None), len(page)

    def _tenants(self, token_set_id: str, lists: dict[str, AccessAnswer]) -> AccessAnswer:
        """The tenants that the token set reaches, or why it reaches none."""
        if token_set_id not in lists:
            self.pace()
            lists[token_set_id] = self._listed(token_set_id)
        return lists[token_set_id]

    def _listed(self, token_set_id: str) -> AccessAnswer:
        rejected = None
        for _ in range(2):
            try:
                token = self.vault.access_token(token_set_id, rejected)
                tenants = frozenset(found.tenant_id for found in self._organisations(token.value))
                return TokenSetAccess(tenants, token.scopes)
            except _TokenRejected:
                # The token ended early: another one tells. Only the vault knows whether there is none any more.
                rejected = fingerprint(token.value)
            except ReconnectionNeeded as error:
                return error.problem
            except AppKeysRejected:
                return Unknown()
            except Unavailable as error:
                return Unknown(error.retry_after or 0)
        return Unknown()

    def _organisations(self, token: str) -> Sequence[ListedOrganisation]:
        try:
            return self.organisations.list_connections(token)
        except (ReconnectionNeeded, Refused):
            raise _TokenRejected from None

    def _end(self, connection: Connection, problem: Problem) -> int:
        company = company_items.find_company(self.ports.store, connection.company_id)
        if company is None:
            return 0  # deleted at this moment, with its connections
        try:
            writes = disconnection_writes(self.ports, connection, problem, company, self.ports.clock())
            if not writes:
                return 0  # it had ended before
            self.ports.store.commit(*writes)
        except ConditionFailed:
            return 0  # somebody reconnected or unlinked it at this moment
        return 1


class _TokenRejected(Exception):
    """Xero does not list the connections for this token."""


def _with_resume_point(tended: CheckResult, after: str | None) -> CheckResult:
    return replace(tended, resume_after=after)
