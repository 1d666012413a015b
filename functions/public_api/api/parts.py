"""What the routes work with. Each part is made when a route first needs it: most never need Xero."""

from __future__ import annotations

from feedlane.aws import clients as aws
from feedlane.aws import queues as sqs
from feedlane.clock import Clock, system_clock
from feedlane.companies.connection import Connection
from feedlane.credentials.vault import Vault
from feedlane.environment import environment
from feedlane.errors import ReconnectionNeeded
from feedlane.feeds.upstream import Upstream
from feedlane.ids import NewId, fingerprint, new_id
from feedlane.queues import Queues
from feedlane.store.store import Store


class Parts:
    """The real ones. Tests put their own in `current`."""

    clock: Clock = staticmethod(system_clock)
    new_id: NewId = staticmethod(new_id)

    @property
    def store(self) -> Store:
        return aws.store()

    @property
    def queues(self) -> Queues:
        return sqs.queues()

    @property
    def vault(self) -> Vault:
        from feedlane.wiring import functions as wiring

        return wiring.vault()

    @property
    def upstream(self) -> Upstream:
        from feedlane.wiring import functions as wiring

        return wiring.upstream()

    @property
    def public_url(self) -> str:
        return environment().public_url.rstrip("/")

    def disconnect(self, connection: Connection) -> None:
        """Ends the connection at Xero. A token that Xero does not take is given back for another one."""
        from feedlane.wiring import functions as wiring
        from feedlane.xero.connections import XeroConnections

        if connection.tenant is None or connection.token_set_id is None:
            return
        xero, rejected = XeroConnections(wiring.xero_http()), None
        for last in (False, True):
            token = self.vault.access_token(connection.token_set_id, rejected)
            try:
                xero.delete(token.value, connection.tenant.xero_connection_id)
                break
            except ReconnectionNeeded:
                if last:
                    raise
                rejected = fingerprint(token.value)


current = Parts()
