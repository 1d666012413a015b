"""Linking through Codat's hosted Link: from its place at Codat to a linked connection, on Codat's own word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import CODAT_ACCESS, Connection, ConnectionStatus, HostedPlace, Tenant
from feedlane.companies.hosted_link import HostedLink
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.events.outbox import put_event
from feedlane.follow_ups import RecoveryCheck
from feedlane.holds import release as hold_release
from feedlane.link.consent_end import ConsentEnd
from feedlane.link.linking import NotLinked, NotLinkedReason
from feedlane.mapping import hosted as mapping_hosted
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.settings import items as settings_items
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.table import ConditionFailed, Put, When, Write

# How many companies at Codat a connection may lose to others that are opened at the same moment.
_CLAIMS_MAX = 3


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
            place = self._place_of(company, connection)
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
        if not mapping_hosted.replaced(self.ports.store, linked):
            hold_release.resume_connection(self.ports, now, linked)
        # What the customer has mapped at Codat is adopted. And what was mapped at a connection that is gone there ends
        # before its feeds are resumed.
        self.ports.queues.follow_up(check, 0)
        return linked

    def _place_of(self, company: Company, connection: Connection) -> HostedPlace:
        """What the connection has at Codat from now on, whoever else opens it, or another connection, at this moment.

        Of two who made a place for it, the first to store it counts: its customer may be there already. And two
        connections never share a company there: neither could tell the other's pushes from its own.
        """
        for _ in range(_CLAIMS_MAX):
            place = self.hosted.prepare(company, connection, lambda id: self._holder(connection, id) is not None)
            stored = self._store_place(connection, place)
            if stored is not None:
                return stored
        raise Unavailable("The connection's place at Codat is being taken by another one", 2)

    def _store_place(self, connection: Connection, place: HostedPlace) -> HostedPlace | None:
        """The place that the connection has; None if another connection has that company."""
        found = connection.hosted
        for attempt in attempts(f"connection {connection.id}", otherwise=Unavailable("The connection is changing", 2)):
            if connection.hosted == place:
                return place
            if connection.hosted != found:
                return connection.hosted
            holder = self._holder(connection, place.company_id)
            if holder is None:
                return None
            with attempt:
                self.ports.store.commit(
                    company_items.put_connection(connection.but(hosted=place)), _claim(connection, place, holder)
                )
                return place
            connection = company_items.connection(self.ports.store, connection.company_id, connection.id)
        return place

    def _holder(self, connection: Connection, codat_company: str) -> str | None:
        """The connection in whose stead this one may have the company at Codat: itself, or one that was deleted."""
        item = self.ports.store.table.get(keys.hosted_company(codat_company))
        if item is None or item["connection_id"] == connection.id:
            return connection.id
        found = company_items.find_connection(self.ports.store, item["company_id"], item["connection_id"])
        return None if found is not None else str(item["connection_id"])

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


def _claim(connection: Connection, place: HostedPlace, holder: str) -> Put:
    pk, sk = keys.hosted_company(place.company_id)
    ids = {"company_id": connection.company_id, "connection_id": connection.id}
    return Put({"pk": pk, "sk": sk, **ids}, When(absent=True, equal={"connection_id": holder}))
