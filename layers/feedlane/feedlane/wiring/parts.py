"""What the API's routes and the pages work with. Each part is built when first used: most requests never need Xero."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from feedlane.aws import ports as aws_ports
from feedlane.clock import Clock
from feedlane.companies.connection import Connection
from feedlane.companies.hosted_link import HostedLink
from feedlane.companies.organisations import Organisations
from feedlane.credentials.vault import Vault
from feedlane.environment import environment
from feedlane.feeds.upstream import Upstream
from feedlane.ids import NewId, new_secret
from feedlane.ports import Ports
from feedlane.queues import Queues
from feedlane.store.store import Store
from feedlane.upkeep.outside import Outside

if TYPE_CHECKING:
    from feedlane.wiring.dead_letter_office import DeadLetterOffice


class Parts:
    """The real parts. Tests pass in others."""

    new_secret: NewId = staticmethod(new_secret)

    @cached_property
    def ports(self) -> Ports:
        return aws_ports.ports()

    @property
    def store(self) -> Store:
        return self.ports.store

    @property
    def queues(self) -> Queues:
        return self.ports.queues

    @property
    def clock(self) -> Clock:
        return self.ports.clock

    @property
    def public_url(self) -> str:
        return self.ports.public_url

    @property
    def webhook_targets(self) -> str:
        return environment().webhook_targets

    @cached_property
    def vault(self) -> Vault:
        from feedlane.wiring import functions as wiring

        return wiring.vault()

    @cached_property
    def upstream(self) -> Upstream:
        from feedlane.wiring import functions as wiring

        return wiring.upstream()

    @cached_property
    def organisations(self) -> Organisations:
        from feedlane.wiring import functions as wiring
        from feedlane.xero.accounting import Accounting
        from feedlane.xero.consent import XeroOrganisations

        return XeroOrganisations(wiring.xero_connections(), Accounting(wiring.xero_api()), wiring.tokens())

    @cached_property
    def hosted_link(self) -> HostedLink:
        from feedlane.wiring import functions as wiring

        return wiring.hosted_link()

    @cached_property
    def outside(self) -> Outside:
        from feedlane.wiring.outside import DeployedOutside

        return DeployedOutside()

    @cached_property
    def dead_letters(self) -> DeadLetterOffice:
        from feedlane.wiring.dead_letter_office import DeadLetterOffice, FunctionAws

        return DeadLetterOffice(FunctionAws())

    def disconnect(self, connection: Connection) -> None:
        """Ends the connection at Xero, or at Codat. Raises what `end_connection` raises."""
        from feedlane.link import ending
        from feedlane.wiring import functions as wiring

        ending.disconnect(connection, lambda: self.vault, wiring.xero_connections, lambda: self.hosted_link)
