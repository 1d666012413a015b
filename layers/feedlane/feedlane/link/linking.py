"""Linking: from the start of an authorisation to a linked connection, and every reason why it ends otherwise."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from feedlane.companies import connection_limit
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, ConnectionFault, ConnectionStatus, Tenant
from feedlane.companies.organisations import Organisation, Organisations
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING, fault_of
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, FeedlaneError, ReconnectionNeeded, Refused, Unavailable
from feedlane.events.outbox import put_event
from feedlane.follow_ups import RecoveryCheck
from feedlane.holds import release as hold_release
from feedlane.link import one_off_access
from feedlane.link.choice import OrganisationChoice
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.settings import items as settings_items
from feedlane.settings.settings import OFFLINE_ACCESS, Settings, limit_of
from feedlane.store import keys
from feedlane.store.attempts import AttemptsExhausted, attempts
from feedlane.store.table import ABSENT, ConditionFailed, Put, When, Write

# Many callbacks at once meet in the count of linked connections: each tries again until it is its turn.
_ATTEMPTS_MAX = 30
_DELAY_SECONDS_MAX = 0.4


class NotLinkedReason(StrEnum):
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

    def __init__(self, reason: NotLinkedReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Linking:
    ports: Ports
    vault: Vault
    organisations: Organisations
    redirect_uri: str

    def require_startable(self, connection: Connection, now: datetime) -> Settings:
        """The settings to start with. Raises `NotLinked`, with an event the first time the limit is met."""
        settings = settings_items.settings(self.ports.store)
        if not settings.enabled or not settings.has_keys:
            raise NotLinked(NotLinkedReason.NOT_SET_UP)
        counts = not connection.is_linked and not (connection.tenant and connection.tenant.demo)
        limit = limit_of(settings)
        if counts and connection_limit.is_reached(self.ports.store, limit):
            connection_limit.report_reached(self.ports, limit, now)
            raise NotLinked(NotLinkedReason.LIMIT)
        return settings

    def authorised(
        self, connection: Connection, code: str, now: datetime, verifier: str = ""
    ) -> Connection | OrganisationChoice:
        """The linked connection, or what the customer has to choose from. Raises `NotLinked`, `Unavailable`.

        `verifier` is PKCE's, if the authorisation was started with one.
        """
        try:
            grant = self.vault.exchange_code(code, self.redirect_uri, verifier or None)
        except ReconnectionNeeded as error:
            raise NotLinked(NotLinkedReason.CODE_DEAD, error.problem.sentence) from None
        except AppKeysRejected as error:
            raise NotLinked(NotLinkedReason.KEYS_REJECTED, error.problem.sentence) from None
        found = tuple(self.organisations.authorised(grant))
        choice = OrganisationChoice(
            token_set_id=grant.token_set_id,
            authentication_event_id=grant.authentication_event_id,
            scopes=grant.scopes,
            access_ends=None if OFFLINE_ACCESS in grant.scopes else grant.expires_at,
            organisations=found,
        )
        if not found:
            raise NotLinked(NotLinkedReason.NO_ORGANISATION)
        if connection.tenant is not None:
            return self.link_chosen(connection, choice, connection.tenant.id, now)
        return self.link_chosen(connection, choice, found[0].tenant_id, now) if len(found) == 1 else choice

    def link_chosen(
        self, connection: Connection, choice: OrganisationChoice, tenant_id: str, now: datetime
    ) -> Connection:
        """Links the one organisation; Xero's connections to the others that nobody here uses are ended again.

        Raises `NotLinked` after ending them all, `Unavailable`.
        """
        if choice.access_ends is not None:
            one_off_access.schedule_check(self.ports.queues, connection, choice.access_ends, now)
        # For the case that we crash between the link and its feeds: they have to use the new token set.
        again = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
        self.ports.queues.follow_up(again, SAFETY_DELAY_SECONDS)
        organisation = next((one for one in choice.organisations if one.tenant_id == tenant_id), None)
        try:
            if organisation is None:
                raise NotLinked(NotLinkedReason.OTHER_ORGANISATION, ", ".join(one.name for one in choice.organisations))
            linked = self._linked(connection, choice, organisation, now)
        except NotLinked:
            self._remove_unused(choice)
            raise
        self._remove_unused(choice)
        if not linked.needs_reconnection:
            hold_release.resume_connection(self.ports, now, linked)
        return linked

    def failed(self, connection: Connection, error: ConnectionFault) -> None:
        """Writes down why linking failed, with its event. A connection that is linked stays as it is."""
        with suppress(AttemptsExhausted):  # the customer is told all the same
            self._fail(connection, error)

    def _fail(self, connection: Connection, error: ConnectionFault) -> None:
        for attempt in attempts(f"connection {connection.id}"):
            if connection.is_linked:
                return
            failed = connection.failed(error)
            company = company_items.company(self.ports.store, connection.company_id)
            event = company_events.connection_failed(self.ports, failed, company, error.errored_on)
            with attempt:
                self.ports.store.commit(company_items.put_connection(failed), put_event(event))
                return
            connection = company_items.connection(self.ports.store, connection.company_id, connection.id)

    def _linked(
        self, connection: Connection, choice: OrganisationChoice, organisation: Organisation, now: datetime
    ) -> Connection:
        try:
            tenant = self.organisations.details(choice.token_set_id, organisation)
        except (Refused, ReconnectionNeeded) as error:
            raise NotLinked(NotLinkedReason.NO_ACCESS, error.problem.sentence) from None
        busy = Unavailable("Too many customers are linking at this moment", 5)
        contended = f"connection {connection.id} and the count of linked connections"
        for attempt in attempts(contended, attempts_max=_ATTEMPTS_MAX, delay_max=_DELAY_SECONDS_MAX, otherwise=busy):
            settings = settings_items.settings(self.ports.store)
            linked, writes = self._link_writes(settings, connection, choice, tenant, now)
            with attempt:
                try:
                    self.ports.store.commit(*writes)
                except ConditionFailed as failed:
                    limit = limit_of(settings)
                    if keys.LINKED_COUNT in failed.keys and connection_limit.is_reached(self.ports.store, limit):
                        connection_limit.report_reached(self.ports, limit, now)
                        raise NotLinked(NotLinkedReason.LIMIT) from None
                    raise
                break
            connection = company_items.connection(self.ports.store, connection.company_id, connection.id)
        return linked.but(version=connection.version + 1)

    def _link_writes(
        self, settings: Settings, before: Connection, choice: OrganisationChoice, tenant: Tenant, now: datetime
    ) -> tuple[Connection, list[Write]]:
        """Connection, markers, count and event: all or nothing."""
        if before.tenant is not None and before.tenant.id != tenant.id:
            raise NotLinked(NotLinkedReason.OTHER_ORGANISATION, tenant.name)
        linked = before.resolved(now).but(
            status=ConnectionStatus.LINKED,
            linked_on=now,
            tenant=tenant,
            token_set_id=choice.token_set_id,
            scopes=choice.scopes,
            access_ends=choice.access_ends,
        )
        if settings.bank_feeds and linked.lacks_bank_feeds:
            linked = linked.failed(fault_of(BANK_FEEDS_SCOPE_MISSING, now))
        company = company_items.company(self.ports.store, before.company_id)
        first = before.status is ConnectionStatus.PENDING_AUTH
        connected_event = company_events.connection_connected if first else company_events.connection_reconnected
        pk, sk = keys.tenant_connection(tenant.id, before.id)
        marker = Put({"pk": pk, "sk": sk, "company_id": before.company_id, "connection_id": before.id})
        events = [
            put_event(connected_event(self.ports, linked, company, now)),
            *self._reconnection_events(before, linked, company, now),
        ]
        counted = connection_limit.link_count_writes(limit_of(settings), before, tenant.demo)
        return linked, [
            company_items.put_connection(linked),
            marker,
            self._owner_write(before, tenant),
            *events,
            *counted,
        ]

    def _reconnection_events(
        self, before: Connection, linked: Connection, company: Company, now: datetime
    ) -> list[Write]:
        """That the customer has to come again, or need not any more; nothing if that is as it was."""
        if linked.needs_reconnection and not before.needs_reconnection:
            return [put_event(company_events.connection_needs_reconnection(self.ports, linked, company, now))]
        if before.needs_reconnection and not linked.needs_reconnection:
            by = "reconnection"
            return [put_event(company_events.connection_recovered(self.ports, before, linked, company, by, now))]
        return []

    def _owner_write(self, connection: Connection, tenant: Tenant) -> Put:
        """The organisation belongs to this company: fails if another company links it at the same moment."""
        pk, sk = keys.owner(tenant.id)
        owner = self.ports.store.table.get((pk, sk))
        if (
            owner is not None
            and owner["company_id"] != connection.company_id
            and self._linked_connection_keys(tenant.id)
        ):
            raise NotLinked(NotLinkedReason.TAKEN, tenant.name)
        mark = f"{connection.id}#{connection.version}"
        item = {"pk": pk, "sk": sk, "company_id": connection.company_id, "mark": mark}
        return Put(item, ABSENT if owner is None else When(equal={"mark": owner["mark"]}))

    def _linked_connection_keys(self, tenant_id: str) -> list[str]:
        """The connections that are linked to the organisation."""
        return [item["sk"] for item in self.ports.store.table.query(keys.tenant(tenant_id), prefix="LINKED#")]

    def _remove_unused(self, choice: OrganisationChoice) -> None:
        """An organisation that stays connected at Xero would keep a place under the app's limit for nothing."""
        unused = [one for one in choice.organisations if not self._linked_connection_keys(one.tenant_id)]
        if not unused:
            return
        # What stays behind is found by the daily look at all connections.
        with suppress(Unavailable, Refused, ReconnectionNeeded, AppKeysRejected):
            self.organisations.remove(choice.token_set_id, choice.authentication_event_id, unused)
