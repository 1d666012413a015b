"""The daily check of connections: keeps token sets alive and finds connections that have ended at Xero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from feedlane.companies import items as company_items
from feedlane.companies import places
from feedlane.companies.connection import Connection
from feedlane.companies.connection_end import disconnection_writes
from feedlane.companies.organisations import ListedOrganisation, ListedOrganisations
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.ids import fingerprint
from feedlane.link import recovery
from feedlane.link.recovery import TokenSetAccess
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.store import keys
from feedlane.store.table import ConditionFailed, Index
from feedlane.upkeep import hosted
from feedlane.upkeep.hosted import AtCodat
from feedlane.upkeep.tenants import Details, refresh_tenant

PAGE_SIZE = 50
TIME_LEFT_MIN = timedelta(seconds=20)
# After these, Xero or the vault is unreachable, not one customer's token set: the run stops.
UNKNOWNS_IN_A_ROW_MAX = 3
# A Retry-After longer than this stops the whole run.
WAIT_SECONDS_MAX = 5


@dataclass(frozen=True)
class Unknown:
    """No answer: an outage, a lost response. `wait_seconds` is the Retry-After; 0: none."""

    wait_seconds: int = 0


AccessAnswer = TokenSetAccess | Problem | Unknown


@dataclass(frozen=True)
class CheckResult:
    """How many connections were checked, and how many of them ended.

    `unknown` has the company and connection ids of those without an answer. `resume_after` is the connection after
    which to continue, None after the last. `stop`: the time has run out, or Xero or the vault has to be left alone.
    """

    checked: int
    ended: int
    unknown: tuple[tuple[str, str], ...]
    resume_after: str | None
    stop: bool = False


@dataclass(frozen=True)
class ConnectionCheck:
    """`pace` is called once for each connection, and waits as long as Xero's rate limit requires.

    `details` asks Xero about an organisation, with the token that `remember` has got.
    """

    ports: Ports
    vault: Vault
    organisations: ListedOrganisations
    details: Details
    remember: Callable[[str, AccessToken], None] = lambda token_set_id, token: None
    pace: Callable[[], None] = lambda: None
    at_codat: AtCodat = lambda connection: None

    def check_page(self, after: str, time_left: Callable[[], timedelta]) -> CheckResult:
        """Checks the next page of connections, in the order of their ids: those linked now or recently."""
        start = f"{after}~" if after else None
        items = self.ports.store.table.query(keys.CONNECTIONS, start=start, limit=PAGE_SIZE, index=Index.LISTS)
        page = [Connection.model_validate(item) for item in items]
        result, done = self._check_all(page, time_left)
        if done < len(page):
            return replace(result, resume_after=page[done - 1].id if done else after)
        return replace(result, resume_after=page[-1].id if len(page) == PAGE_SIZE else None)

    def recheck(self, ids: Sequence[tuple[str, str]], time_left: Callable[[], timedelta]) -> CheckResult:
        """Checks these connections (company and connection ids). Those without time left stay unknown."""
        connections = [company_items.find_connection(self.ports.store, company_id, id) for company_id, id in ids]
        page = [connection for connection in connections if connection is not None]
        result, done = self._check_all(page, time_left)
        unchecked = tuple((connection.company_id, connection.id) for connection in page[done:])
        return replace(result, unknown=(*result.unknown, *unchecked))

    def _check_all(self, page: Sequence[Connection], time_left: Callable[[], timedelta]) -> tuple[CheckResult, int]:
        """The result, and how many of the page were done.

        The page is read before the calls to Xero, and a connection is ended on condition that it has not changed since:
        so Xero's answer is newer than the state it ends. A request for an access token refreshes an old token set; one
        call per token set lists all its connections.
        """
        access_by_token_set: dict[str, AccessAnswer] = {}
        checked = ended = unknowns_in_a_row = 0
        unknown: list[tuple[str, str]] = []
        for number, connection in enumerate(page):
            if time_left() < TIME_LEFT_MIN:
                return CheckResult(checked, ended, tuple(unknown), None, stop=True), number
            if not recovery.should_check(connection, self.ports.clock()):
                continue
            checked += 1
            self.pace()
            if not connection.is_direct:
                # Codat's silence stops no round of Xero's.
                is_known, has_ended = hosted.check(self.ports, self.at_codat, connection)
                ended += has_ended
                unknown += [] if is_known else [(connection.company_id, connection.id)]
                continue
            access = self._access_of(connection.token_set_id or "", access_by_token_set)
            if isinstance(access, Unknown):
                unknown.append((connection.company_id, connection.id))
                unknowns_in_a_row += 1
                if access.wait_seconds > WAIT_SECONDS_MAX or unknowns_in_a_row >= UNKNOWNS_IN_A_ROW_MAX:
                    return CheckResult(checked, ended, tuple(unknown), None, stop=True), number + 1
                continue
            unknowns_in_a_row = 0
            problem = access if isinstance(access, Problem) else _why_ended(connection, access)
            if problem is not None:
                ended += self._end(connection, problem)
            elif isinstance(access, TokenSetAccess) and not self._apply(connection, access):
                unknown.append((connection.company_id, connection.id))
        return CheckResult(checked, ended, tuple(unknown), None), len(page)

    def _access_of(self, token_set_id: str, known: dict[str, AccessAnswer]) -> AccessAnswer:
        """The tenants that the token set gives access to, or why it gives none. Asks once per token set."""
        if token_set_id not in known:
            known[token_set_id] = self._list_access(token_set_id)
        return known[token_set_id]

    def _list_access(self, token_set_id: str) -> AccessAnswer:
        rejected = None
        for _ in range(2):
            try:
                token = self.vault.access_token(token_set_id, rejected)
                tenants = {listed.tenant_id: listed for listed in self._list_organisations(token.value)}
                self.remember(token_set_id, token)
                return TokenSetAccess(tenants, token.scopes)
            except _TokenRejected:
                # The token ended early: retry with a new one. Only the vault knows whether the grant has ended.
                rejected = fingerprint(token.value)
            except ReconnectionNeeded as error:
                return error.problem
            except AppKeysRejected:
                return Unknown()
            except Unavailable as error:
                # Xero rejects this token set's token, although it is new: no reason to stop the round.
                return Unknown(0 if rejected else error.retry_after or 0)
        return Unknown()

    def _apply(self, connection: Connection, access: TokenSetAccess) -> bool:
        """Applies what Xero lists, and what it says of the organisation. False if that has to be asked again."""
        has_changed = recovery.apply_listing(self.ports, self.ports.clock(), connection, access.scopes)
        listed = access.tenants.get(connection.tenant.id) if connection.tenant else None
        current: Connection | None = connection
        if has_changed:
            current = company_items.find_connection(self.ports.store, connection.company_id, connection.id)
        return current is None or listed is None or refresh_tenant(self.ports, self.details, current, listed)

    def _list_organisations(self, token: str) -> Sequence[ListedOrganisation]:
        try:
            return self.organisations.list_connections(token)
        except (ReconnectionNeeded, Refused):
            raise _TokenRejected from None

    def _end(self, connection: Connection, problem: Problem) -> int:
        company = company_items.find_company(self.ports.store, connection.company_id)
        if company is None:
            return 0  # just deleted, with its connections
        try:
            writes = disconnection_writes(self.ports, connection, problem, company, self.ports.clock())
            if not writes:
                self._free_place(connection, problem)
                return 0  # it has already ended
            self.ports.store.commit(*writes)
        except ConditionFailed:
            return 0  # it has just been reconnected or unlinked
        return 1

    def _free_place(self, connection: Connection, problem: Problem) -> None:
        """One that has ended here keeps its place until Xero lists it no more."""
        store, tenant = self.ports.store, connection.tenant
        if problem is CONNECTION_REMOVED and tenant is not None and places.find_place(store, tenant.id):
            store.commit(places.free_place(tenant.id))


def _why_ended(connection: Connection, access: TokenSetAccess) -> Problem | None:
    is_gone = connection.tenant is not None and connection.tenant.id not in access.tenants
    return CONNECTION_REMOVED if is_gone else None


class _TokenRejected(Exception):
    """Xero does not list the connections for this token."""
