"""What the routes work with. Each part is made when a route first needs it: most never need Xero."""

from __future__ import annotations

from feedlane import aws
from feedlane.clock import Clock, system_clock
from feedlane.connection import Connection
from feedlane.environment import environment
from feedlane.errors import ReconnectionNeeded
from feedlane.ids import NewId, fingerprint, new_id
from feedlane.queues import Queues
from feedlane.store.store import Store
from feedlane.upstream import Upstream
from feedlane.vault import Vault


class Parts:
    """The real ones. Tests put their own in `current`."""

    clock: Clock = staticmethod(system_clock)
    new_id: NewId = staticmethod(new_id)

    @property
    def store(self) -> Store:
        return aws.store()

    @property
    def queues(self) -> Queues:
        return aws.queues()

    @property
    def vault(self) -> Vault:
        from feedlane import wiring

        return wiring.vault()

    @property
    def upstream(self) -> Upstream:
        from feedlane import wiring

        return wiring.upstream()

    @property
    def public_url(self) -> str:
        return environment().public_url.rstrip("/")

    def disconnect(self, connection: Connection) -> None:
        """Ends the connection at Xero. A token that Xero does not take is given back for another one."""
        from feedlane import wiring
        from feedlane.xero.connections import XeroConnections

        if connection.tenant is None or connection.token_set_id is None:
            return
        xero, rejected = XeroConnections(wiring.xero()), None
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
