"""What the pages work with. Each part is made when a page first needs it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from feedlane.aws import clients as aws
from feedlane.aws import queues as sqs
from feedlane.clock import Clock, system_clock
from feedlane.companies.organisations import Organisations
from feedlane.credentials.vault import Vault
from feedlane.environment import environment
from feedlane.feeds.upstream import Upstream
from feedlane.ids import NewId, new_id, new_secret
from feedlane.link.linking import Linking
from feedlane.queues import Queues
from feedlane.settings import items as settings_items
from feedlane.store.store import Store
from feedlane.web.response import Response, page


class Site:
    """The real ones. Tests hand in others."""

    clock: Clock = staticmethod(system_clock)
    new_id: NewId = staticmethod(new_id)
    new_secret: NewId = staticmethod(new_secret)

    @property
    def public_url(self) -> str:
        return environment().public_url

    @property
    def login_url(self) -> str:
        return environment().xero_login_url

    @cached_property
    def store(self) -> Store:
        return aws.store()

    @cached_property
    def queues(self) -> Queues:
        return sqs.queues()

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
        from feedlane.xero.connections import XeroConnections
        from feedlane.xero.consent import XeroOrganisations

        return XeroOrganisations(XeroConnections(wiring.xero_http()), Accounting(wiring.xero_api()), wiring.tokens())

    def page(self, template: str, status: int = 200, *, form_targets: str = "", **facts: Any) -> Response:
        """A page under the platform's own name and logo."""
        profile = settings_items.profile(self.store)
        brand = {"logo_url": profile.logo_url, "name": profile.name}
        return page(template, status, form_targets=form_targets, **brand, **facts)

    def linking(self, redirect_uri: str) -> Linking:
        return Linking(self.ports, self.vault, self.organisations, redirect_uri)
