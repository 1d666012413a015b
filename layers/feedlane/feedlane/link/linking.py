"""Linking: from the start of an authorisation to a linked connection, or to the reason why it is not linked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from feedlane.companies import connection_limit, places
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, ConnectionFault, ConnectionStatus, Tenant
from feedlane.companies.organisations import Organisation, Organisations
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING, fault_of
from feedlane.credentials.grants import UNUSED_AFTER
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, FeedlaneError, ReconnectionNeeded, Refused, Unavailable
from feedlane.events.outbox import put_event
from feedlane.follow_ups import RecoveryCheck
from feedlane.holds import release as hold_release
from feedlane.link import one_off_access, unused_organisations
from feedlane.link.choice import OrganisationChoice
from feedlane.link.connections import linked_connection_ids
from feedlane.link.consent_end import NO_END, ConsentEnd
from feedlane.link.passwords import PasswordSpent
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.settings import items as settings_items
from feedlane.settings.settings import OFFLINE_ACCESS, Settings, limit_of
from feedlane.store import keys
from feedlane.store.attempts import AttemptsExhausted, attempts
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, ConditionFailed, Put, When, Write

# Concurrent callbacks contend for the count of linked connections: each retries until it succeeds.
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
    MOVED = "moved"
    NO_ACCOUNTS = "no-accounts"
    UPSTREAM_REFUSED = "upstream-refused"
    UPSTREAM_CHANGING = "upstream-changing"


class NotLinked(FeedlaneError):
    """The connection was not linked. `detail` adds to the reason: an organisation's name, or Xero's words.

    `former` is the name of the organisation that the connection belongs to, if the customer selected others.
    """

    def __init__(self, reason: NotLinkedReason, detail: str = "", former: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.former = former


def is_full(store: Store, settings: Settings, connection: Connection | None, now: datetime) -> bool:
    """Whether Xero's limit leaves no place for this connection, or for one that does not exist yet."""
    organisation = connection.organisation if connection else None
    if connection is not None and (connection.is_linked or (organisation and organisation.demo)):
        return False
    return connection_limit.is_reached(store, limit_of(settings), now, organisation.id if organisation else "")


@dataclass(frozen=True)
class Linking:
    ports: Ports
    vault: Vault
    organisations: Organisations
    redirect_uri: str

    def require_startable(self, connection: Connection, now: datetime) -> Settings:
        """The settings to start with. Raises `NotLinked`, with an event the first time the limit is reached."""
        if connection.moved_to is not None:
            raise NotLinked(NotLinkedReason.MOVED)
        if connection.is_stopping:
            raise NotLinked(NotLinkedReason.UPSTREAM_CHANGING)
        settings = settings_items.settings(self.ports.store)
        if not settings.enabled or not settings.has_keys:
            raise NotLinked(NotLinkedReason.NOT_SET_UP)
        if is_full(self.ports.store, settings, connection, now):
            connection_limit.report_reached(self.ports, limit_of(settings), now)
            raise NotLinked(NotLinkedReason.LIMIT)
        return settings

    def finish_authorisation(
        self, connection: Connection, code: str, now: datetime, verifier: str = "", end: ConsentEnd = NO_END
    ) -> Connection | OrganisationChoice:
        """Exchanges the code and links the connection, or returns what the customer has to choose from.

        `verifier` is PKCE's, if the authorisation was started with one. Either result is committed with the `end` of
        the consent; until then the same call can be repeated. Raises `NotLinked`, `Unavailable`, `UsedState`,
        `PasswordSpent`.
        """
        try:
            state = end.state.fingerprint if end.state else ""
            grant = self.vault.exchange_code(code, self.redirect_uri, verifier or None, state)
        except ReconnectionNeeded as error:
            raise NotLinked(NotLinkedReason.CODE_DEAD, error.problem.sentence) from None
        except AppKeysRejected as error:
            raise NotLinked(NotLinkedReason.KEYS_REJECTED, error.problem.sentence) from None
        try:
            authorised = self.organisations.authorised_in(grant)
        except (ReconnectionNeeded, Refused) as error:
            raise NotLinked(NotLinkedReason.NO_ACCESS, error.problem.sentence) from None
        organisations = tuple(item for item in authorised if item.is_organisation)
        choice = OrganisationChoice(
            token_set_id=grant.token_set_id,
            authentication_event_id=grant.authentication_event_id,
            scopes=grant.scopes,
            access_ends=None if OFFLINE_ACCESS in grant.scopes else grant.expires_at,
            organisations=organisations,
        )
        unused_organisations.remove(
            self.ports.store, self.organisations, choice, [item for item in authorised if not item.is_organisation], now
        )
        if not organisations:
            raise NotLinked(NotLinkedReason.NO_ORGANISATION)
        if connection.organisation is not None:
            return self.link_chosen(connection, choice, connection.organisation.id, now, end)
        if len(organisations) > 1:
            self._leave_choice(choice, end, now)
            return choice
        return self.link_chosen(connection, choice, organisations[0].tenant_id, now, end)

    def link_chosen(
        self,
        connection: Connection,
        choice: OrganisationChoice,
        tenant_id: str,
        now: datetime,
        end: ConsentEnd = NO_END,
    ) -> Connection:
        """Links the organisation and disconnects the others of the consent at Xero, unless a connection here uses them.

        Raises `NotLinked`, `PasswordSpent` (after disconnecting them), `Unavailable`, `UsedState`.
        """
        if choice.access_ends is not None:
            one_off_access.schedule_check(self.ports.queues, connection, choice.access_ends, now)
        # In case of a crash between the link and its feeds: the feeds must use the new token set.
        check = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
        self.ports.queues.follow_up(check, SAFETY_DELAY_SECONDS)
        organisation = next((offered for offered in choice.organisations if offered.tenant_id == tenant_id), None)
        try:
            if organisation is None:
                names = ", ".join(offered.name for offered in choice.organisations)
                former = connection.organisation.name if connection.organisation else ""
                raise NotLinked(NotLinkedReason.OTHER_ORGANISATION, names, former)
            linked = self._link(connection, choice, organisation, now, end)
        except (NotLinked, PasswordSpent):
            unused_organisations.remove(self.ports.store, self.organisations, choice, choice.organisations, now)
            raise
        unused_organisations.remove(self.ports.store, self.organisations, choice, choice.organisations, now)
        if not linked.needs_reconnection:
            hold_release.resume_connection(self.ports, now, linked)
        return linked

    def record_failure(self, connection: Connection, fault: ConnectionFault, *also: Write) -> None:
        """Records why linking failed, with its event and `also`. A linked connection stays unchanged."""
        with suppress(AttemptsExhausted):  # the customer sees the page all the same
            self._record_failure(connection, fault, also)

    def _record_failure(self, connection: Connection, fault: ConnectionFault, also: Sequence[Write]) -> None:
        for attempt in attempts(f"connection {connection.id}"):
            writes = list(also)
            if not connection.is_linked:
                failed = connection.with_fault(fault)
                company = company_items.company(self.ports.store, connection.company_id)
                event = company_events.connection_failed(self.ports, failed, company, fault.errored_on)
                writes += [company_items.put_connection(failed), put_event(event)]
            with attempt:
                if writes:
                    self.ports.store.commit(*writes)
                return
            connection = company_items.connection(self.ports.store, connection.company_id, connection.id)

    def _leave_choice(self, choice: OrganisationChoice, end: ConsentEnd, now: datetime) -> None:
        """Ends the consent; its session lets the customer choose. Until then, each organisation has a place at Xero."""
        store = self.ports.store
        for attempt in attempts("the state of a consent"):
            writes = [
                *end.writes(choice),
                *unused_organisations.place_writes(store, choice, choice.organisations, now, now + UNUSED_AFTER),
            ]
            with attempt:
                try:
                    if writes:
                        self.ports.store.commit(*writes)
                except ConditionFailed as failed:
                    end.require_open(failed)
                    raise

    def _link(
        self,
        connection: Connection,
        choice: OrganisationChoice,
        organisation: Organisation,
        now: datetime,
        end: ConsentEnd,
    ) -> Connection:
        try:
            tenant = self.organisations.details(choice.token_set_id, organisation)
        except (Refused, ReconnectionNeeded) as error:
            raise NotLinked(NotLinkedReason.NO_ACCESS, error.problem.sentence) from None
        busy = Unavailable("Too many customers are linking at the same time", 5)
        contended = f"connection {connection.id} and the count of linked connections"
        for attempt in attempts(contended, attempts_max=_ATTEMPTS_MAX, delay_max=_DELAY_SECONDS_MAX, otherwise=busy):
            settings = settings_items.settings(self.ports.store)
            linked, writes = self._link_writes(settings, connection, choice, tenant, now)
            with attempt:
                try:
                    self.ports.store.commit(*writes, *end.writes())
                except ConditionFailed as failed:
                    end.require_open(failed)
                    limit = limit_of(settings)
                    is_full = keys.LINKED_COUNT in failed.keys
                    if is_full and connection_limit.is_reached(self.ports.store, limit, now, tenant.id):
                        connection_limit.report_reached(self.ports, limit, now)
                        raise NotLinked(NotLinkedReason.LIMIT) from None
                    raise
                break
            connection = company_items.connection(self.ports.store, connection.company_id, connection.id)
        return linked.but(version=connection.version + 1)

    def _link_writes(
        self, settings: Settings, before: Connection, choice: OrganisationChoice, tenant: Tenant, now: datetime
    ) -> tuple[Connection, list[Write]]:
        """The linked connection, and the writes for it, its markers, the count and the events."""
        if before.moved_to is not None:
            raise NotLinked(NotLinkedReason.MOVED)
        if before.is_stopping or not before.is_direct:
            raise NotLinked(NotLinkedReason.UPSTREAM_CHANGING)
        former = before.organisation
        if former is not None and former.id != tenant.id:
            raise NotLinked(NotLinkedReason.OTHER_ORGANISATION, tenant.name, former.name)
        linked = before.with_faults_resolved(now).but(
            status=ConnectionStatus.LINKED,
            linked_on=now,
            tenant=tenant,
            token_set_id=choice.token_set_id,
            scopes=choice.scopes,
            access_ends=choice.access_ends,
            change=None,
            former_tenant=None,
            look=next_look(now),
        )
        if settings.bank_feeds and linked.lacks_bank_feeds:
            linked = linked.with_fault(fault_of(BANK_FEEDS_SCOPE_MISSING, now))
        company = company_items.company(self.ports.store, before.company_id)
        is_first = before.status is ConnectionStatus.PENDING_AUTH
        connected_event = company_events.connection_connected if is_first else company_events.connection_reconnected
        pk, sk = keys.tenant_connection(tenant.id, before.id)
        users = {"gsi1pk": keys.token_set_users(choice.token_set_id), "gsi1sk": before.id}
        marker = Put({"pk": pk, "sk": sk, "company_id": before.company_id, "connection_id": before.id, **users})
        events = [
            put_event(connected_event(self.ports, linked, company, now)),
            *self._reconnection_events(before, linked, company, now),
        ]
        limit = connection_limit.limit_here(self.ports.store, limit_of(settings), tenant.id)
        if limit == 0 and not before.is_linked and not tenant.demo:
            raise NotLinked(NotLinkedReason.LIMIT)
        count_writes = connection_limit.link_count_writes(limit, before, tenant.demo)
        return linked, [
            company_items.put_connection(linked),
            marker,
            self._owner_write(before, tenant),
            places.free_place(tenant.id),
            *events,
            *count_writes,
        ]

    def _reconnection_events(
        self, before: Connection, linked: Connection, company: Company, now: datetime
    ) -> list[Write]:
        """The event about the customer's need to reconnect, if that has changed."""
        if linked.needs_reconnection and not before.needs_reconnection:
            return [put_event(company_events.connection_needs_reconnection(self.ports, linked, company, now))]
        if before.needs_reconnection and not linked.needs_reconnection:
            by = "reconnection"
            return [put_event(company_events.connection_recovered(self.ports, before, linked, company, by, now))]
        return []

    def _owner_write(self, connection: Connection, tenant: Tenant) -> Put:
        """Makes the organisation this company's. The write fails if another company links it at the same time."""
        pk, sk = keys.owner(tenant.id)
        owner = self.ports.store.table.get((pk, sk))
        if (
            owner is not None
            and owner["company_id"] != connection.company_id
            and linked_connection_ids(self.ports.store, tenant.id)
        ):
            raise NotLinked(NotLinkedReason.TAKEN, tenant.name)
        mark = f"{connection.id}#{connection.version}"
        item = {"pk": pk, "sk": sk, "company_id": connection.company_id, "mark": mark}
        return Put(item, ABSENT if owner is None else When(equal={"mark": owner["mark"]}))
