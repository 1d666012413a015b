"""Linking through Codat's hosted Link: from its place at Codat to a linked connection, on Codat's own word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.connection import CODAT_ACCESS, Connection, ConnectionStatus, HostedPlace, Tenant
from feedlane.companies.hosted_link import HostedLink
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.events.outbox import put_event
from feedlane.follow_ups import RecoveryCheck
from feedlane.holds import release as hold_release
from feedlane.link.consent_end import ConsentEnd
from feedlane.link.linking import NotLinked, NotLinkedReason
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.settings import items as settings_items
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.table import ConditionFailed, Put, Write


@dataclass(frozen=True)
class HostedLinking:
    ports: Ports
    hosted: HostedLink

    def require_startable(self, connection: Connection) -> None:
        """Raises `NotLinked`. Codat's own limits apply, and not those of a Xero app of ours."""
        if connection.moved_to is not None:
            raise NotLinked(NotLinkedReason.MOVED)
        if connection.is_stopping:
            raise NotLinked(NotLinkedReason.UPSTREAM_CHANGING)
        settings = settings_items.settings(self.ports.store)
        if not settings.enabled or not settings.codat.ending:
            raise NotLinked(NotLinkedReason.NOT_SET_UP)
        if not company_items.source_accounts(self.ports.store, connection.id):
            raise NotLinked(NotLinkedReason.NO_ACCOUNTS)

    def prepare(self, connection: Connection) -> str:
        """Makes or adopts what the connection is at Codat, and answers where its customer authorises it.

        Raises `NotLinked`, `Unavailable`. May be repeated.
        """
        try:
            company = company_items.company(self.ports.store, connection.company_id)
            place = self._store_place(connection, self.hosted.prepare(company, connection))
            self.hosted.offer(place, company_items.source_accounts(self.ports.store, connection.id))
            return self.hosted.start_url(place)
        except (Refused, ReconnectionNeeded) as error:
            raise NotLinked(NotLinkedReason.UPSTREAM_REFUSED, error.problem.sentence) from None

    def tenant_of(self, connection: Connection) -> Tenant | None:
        """The organisation, if Codat has the connection as linked. Raises `NotLinked`, `Unavailable`."""
        try:
            return self.hosted.linked_tenant(connection.hosted) if connection.hosted else None
        except (Refused, ReconnectionNeeded) as error:
            raise NotLinked(NotLinkedReason.UPSTREAM_REFUSED, error.problem.sentence) from None

    def link(self, connection: Connection, tenant: Tenant, now: datetime, end: ConsentEnd) -> Connection:
        """Links the connection, with the `end` of what was started in the same commit.

        Raises `NotLinked`, `UsedState`, `PasswordSpent`, `Unavailable`.
        """
        check = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
        self.ports.queues.follow_up(check, SAFETY_DELAY_SECONDS)
        for attempt in attempts(f"connection {connection.id}", otherwise=Unavailable("The connection is changing", 2)):
            linked, writes = self._link_writes(connection, tenant, now)
            with attempt:
                try:
                    self.ports.store.commit(*writes, *end.writes())
                except ConditionFailed as failed:
                    end.require_open(failed)
                    raise
                break
            connection = company_items.connection(self.ports.store, connection.company_id, connection.id)
        linked = linked.but(version=connection.version + 1)
        hold_release.resume_connection(self.ports, now, linked)
        # What the customer has mapped at Codat is adopted.
        self.ports.queues.follow_up(check, 0)
        return linked

    def _store_place(self, connection: Connection, place: HostedPlace) -> HostedPlace:
        for attempt in attempts(f"connection {connection.id}"):
            if connection.hosted == place:
                return place
            with attempt:
                self.ports.store.commit(company_items.put_connection(connection.but(hosted=place)))
                return place
            connection = company_items.connection(self.ports.store, connection.company_id, connection.id)
        return place

    def _link_writes(self, before: Connection, tenant: Tenant, now: datetime) -> tuple[Connection, list[Write]]:
        if before.moved_to is not None:
            raise NotLinked(NotLinkedReason.MOVED)
        if before.is_stopping or before.is_direct:
            raise NotLinked(NotLinkedReason.UPSTREAM_CHANGING)
        if before.tenant is not None and before.tenant.id != tenant.id:
            # Its company at Codat was deleted: what the former one has received would be sent again.
            raise NotLinked(NotLinkedReason.OTHER_ORGANISATION, tenant.name, before.tenant.name)
        if before.former_tenant is not None:
            # Codat does not tell it, and the ledgers are of that organisation.
            tenant = tenant.but(time_zone=before.former_tenant.time_zone)
        linked = before.with_faults_resolved(now).but(
            status=ConnectionStatus.LINKED,
            linked_on=now,
            tenant=tenant if tenant.name or before.tenant is None else before.tenant,
            token_set_id=CODAT_ACCESS,
            change=None,
            look=next_look(now),
        )
        company = company_items.company(self.ports.store, before.company_id)
        is_first = before.status is ConnectionStatus.PENDING_AUTH
        connected_event = company_events.connection_connected if is_first else company_events.connection_reconnected
        events = [connected_event(self.ports, linked, company, now)]
        if before.needs_reconnection:
            recovered = company_events.connection_recovered(self.ports, before, linked, company, "reconnection", now)
            events.append(recovered)
        ids = {"company_id": before.company_id, "connection_id": before.id}
        marker_pk, marker_sk = keys.tenant_connection(tenant.id, before.id)
        owner_pk, owner_sk = keys.owner(tenant.id)
        mark = f"{before.id}#{before.version}"
        return linked, [
            company_items.put_connection(linked),
            Put({"pk": marker_pk, "sk": marker_sk, **ids}),
            Put({"pk": owner_pk, "sk": owner_sk, "company_id": before.company_id, "mark": mark}),
            *(put_event(event) for event in events),
        ]
