"""Linking: from the start of an authorisation to a linked connection, and every reason why it ends otherwise."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from feedlane import connection_limit, event_payloads, one_off, releasing
from feedlane.company import Company
from feedlane.connection import Connection, ConnectionError, ConnectionStatus, Tenant
from feedlane.errors import AppKeysRejected, FeedlaneError, ReconnectionNeeded, Refused, Unavailable
from feedlane.follow_ups import RecoveryCheck
from feedlane.ids import NewId
from feedlane.organisations import Organisation, Organisations
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.reconnection import WITHOUT_BANK_FEEDS, error_of
from feedlane.sessions import Choice
from feedlane.settings import OFFLINE_ACCESS, Settings, limit_of
from feedlane.store import keys
from feedlane.store.attempts import AttemptsExhausted, attempts
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, ConditionFailed, Put, When, Write
from feedlane.vault import Vault

# Many callbacks at once meet in the count of linked connections: each tries again until it is its turn.
_TIMES = 30
_DELAY_SECONDS_MAX = 0.4


class Reason(StrEnum):
    NOT_SET_UP = "not-set-up"
    LIMIT = "limit-reached"
    CODE_DEAD = "code-dead"
    KEYS_REJECTED = "keys-rejected"
    NO_ORGANISATION = "no-organisation"
    OTHER_ORGANISATION = "other-organisation"
    TAKEN = "taken-by-another-company"
    NO_ACCESS = "no-access"


class NotLinked(FeedlaneError):
    """Why the connection was not linked. `detail` names what the reason is about (an organisation, Xero's words)."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Linking:
    store: Store
    queues: Queues
    vault: Vault
    organisations: Organisations
    redirect_uri: str
    new_id: NewId

    def may_start(self, connection: Connection, now: datetime) -> Settings:
        """The settings to start with. Raises `NotLinked`, with an event the first time the limit is met."""
        settings = self.store.settings()
        if not settings.enabled or not settings.has_keys:
            raise NotLinked(Reason.NOT_SET_UP)
        counts = not connection.is_linked and not (connection.tenant and connection.tenant.demo)
        limit = limit_of(settings)
        if counts and connection_limit.is_reached(self.store, limit):
            connection_limit.report_reached(self.store, limit, now, self.new_id)
            raise NotLinked(Reason.LIMIT)
        return settings

    def authorised(self, connection: Connection, code: str, now: datetime, verifier: str = "") -> Connection | Choice:
        """The linked connection, or what the customer has to choose from. Raises `NotLinked`, `Unavailable`.

        `verifier` is PKCE's, if the authorisation was started with one.
        """
        try:
            grant = self.vault.exchange_code(code, self.redirect_uri, verifier or None)
        except ReconnectionNeeded as error:
            raise NotLinked(Reason.CODE_DEAD, error.problem.sentence) from None
        except AppKeysRejected as error:
            raise NotLinked(Reason.KEYS_REJECTED, error.problem.sentence) from None
        found = tuple(self.organisations.authorised(grant))
        choice = Choice(
            token_set_id=grant.token_set_id,
            authentication_event_id=grant.authentication_event_id,
            scopes=grant.scopes,
            access_ends=None if OFFLINE_ACCESS in grant.scopes else grant.expires_at,
            organisations=found,
        )
        if not found:
            raise NotLinked(Reason.NO_ORGANISATION)
        if connection.tenant is not None:
            return self.chosen(connection, choice, connection.tenant.id, now)
        return self.chosen(connection, choice, found[0].tenant_id, now) if len(found) == 1 else choice

    def chosen(self, connection: Connection, choice: Choice, tenant_id: str, now: datetime) -> Connection:
        """Links the one organisation; Xero's connections to the others that nobody here uses are ended again.

        Raises `NotLinked` after ending them all, `Unavailable`.
        """
        if choice.access_ends is not None:
            one_off.watch(self.queues, connection, choice.access_ends, now)
        # For the case that we crash between the link and its feeds: they have to use the new token set.
        again = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
        self.queues.follow_up(again, SAFETY_DELAY_SECONDS)
        organisation = next((one for one in choice.organisations if one.tenant_id == tenant_id), None)
        try:
            if organisation is None:
                raise NotLinked(Reason.OTHER_ORGANISATION, ", ".join(one.name for one in choice.organisations))
            linked = self._linked(connection, choice, organisation, now)
        except NotLinked:
            self._remove_unused(choice)
            raise
        self._remove_unused(choice)
        if not linked.needs_reconnection:
            releasing.connection_is_back(self.store, self.queues, now, self.new_id, linked)
        return linked

    def failed(self, connection: Connection, error: ConnectionError) -> None:
        """Writes down why linking failed, with its event. A connection that is linked stays as it is."""
        with suppress(AttemptsExhausted):  # the customer is told all the same
            self._fail(connection, error)

    def _fail(self, connection: Connection, error: ConnectionError) -> None:
        for attempt in attempts(f"connection {connection.id}"):
            if connection.is_linked:
                return
            failed = connection.failed(error)
            company = self.store.company(connection.company_id)
            event = event_payloads.connection_failed(self.new_id(), failed, company, error.errored_on)
            with attempt:
                self.store.commit(self.store.put_connection(failed), emitted(event))
                return
            connection = self.store.connection(connection.company_id, connection.id)

    def _linked(self, connection: Connection, choice: Choice, organisation: Organisation, now: datetime) -> Connection:
        try:
            tenant = self.organisations.details(choice.token_set_id, organisation)
        except (Refused, ReconnectionNeeded) as error:
            raise NotLinked(Reason.NO_ACCESS, error.problem.sentence) from None
        busy = Unavailable("Too many customers are linking at this moment", 5)
        contended = f"connection {connection.id} and the count of linked connections"
        for attempt in attempts(contended, times=_TIMES, delay_max=_DELAY_SECONDS_MAX, otherwise=busy):
            settings = self.store.settings()
            linked, writes = self._writes(settings, connection, choice, tenant, now)
            with attempt:
                try:
                    self.store.commit(*writes)
                except ConditionFailed as failed:
                    limit = limit_of(settings)
                    if keys.LINKED_COUNT in failed.keys and connection_limit.is_reached(self.store, limit):
                        connection_limit.report_reached(self.store, limit, now, self.new_id)
                        raise NotLinked(Reason.LIMIT) from None
                    raise
                break
            connection = self.store.connection(connection.company_id, connection.id)
        return linked.but(version=connection.version + 1)

    def _writes(
        self, settings: Settings, before: Connection, choice: Choice, tenant: Tenant, now: datetime
    ) -> tuple[Connection, list[Write]]:
        """Connection, markers, count and event: all or nothing."""
        if before.tenant is not None and before.tenant.id != tenant.id:
            raise NotLinked(Reason.OTHER_ORGANISATION, tenant.name)
        linked = before.resolved(now).but(
            status=ConnectionStatus.LINKED,
            linked_on=now,
            tenant=tenant,
            token_set_id=choice.token_set_id,
            scopes=choice.scopes,
            access_ends=choice.access_ends,
        )
        if settings.bank_feeds and linked.lacks_bank_feeds:
            linked = linked.failed(error_of(WITHOUT_BANK_FEEDS, now))
        company = self.store.company(before.company_id)
        first = before.status is ConnectionStatus.PENDING_AUTH
        told = event_payloads.connection_connected if first else event_payloads.connection_reconnected
        pk, sk = keys.linked(tenant.id, before.id)
        marker = Put({"pk": pk, "sk": sk, "company_id": before.company_id, "connection_id": before.id})
        events = [emitted(told(self.new_id(), linked, company, now)), *self._need_told(before, linked, company, now)]
        counted = connection_limit.take(limit_of(settings), before, tenant.demo)
        return linked, [self.store.put_connection(linked), marker, self._owned(before, tenant), *events, *counted]

    def _need_told(self, before: Connection, linked: Connection, company: Company, now: datetime) -> list[Write]:
        """That the customer has to come again, or need not any more; nothing if that is as it was."""
        if linked.needs_reconnection and not before.needs_reconnection:
            return [emitted(event_payloads.connection_needs_reconnection(self.new_id(), linked, company, now))]
        if before.needs_reconnection and not linked.needs_reconnection:
            by = "reconnection"
            return [emitted(event_payloads.connection_recovered(self.new_id(), before, linked, company, by, now))]
        return []

    def _owned(self, connection: Connection, tenant: Tenant) -> Put:
        """The organisation belongs to this company: fails if another company links it at the same moment."""
        pk, sk = keys.owner(tenant.id)
        owner = self.store.table.get((pk, sk))
        if owner is not None and owner["company_id"] != connection.company_id and self._users(tenant.id):
            raise NotLinked(Reason.TAKEN, tenant.name)
        mark = f"{connection.id}#{connection.version}"
        item = {"pk": pk, "sk": sk, "company_id": connection.company_id, "mark": mark}
        return Put(item, ABSENT if owner is None else When(equal={"mark": owner["mark"]}))

    def _users(self, tenant_id: str) -> list[str]:
        """The connections that are linked to the organisation."""
        return [item["sk"] for item in self.store.table.query(keys.tenant(tenant_id), prefix="LINKED#")]

    def _remove_unused(self, choice: Choice) -> None:
        """An organisation that stays connected at Xero would keep a place under the app's limit for nothing."""
        unused = [one for one in choice.organisations if not self._users(one.tenant_id)]
        if not unused:
            return
        # What stays behind is found by the daily look at all connections.
        with suppress(Unavailable, Refused, ReconnectionNeeded, AppKeysRejected):
            self.organisations.remove(choice.token_set_id, choice.authentication_event_id, unused)
