"""What the pages work with: the parts, and the page frame with the platform's name and logo."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from feedlane.environment import environment
from feedlane.link.linking import Linking
from feedlane.settings import items as settings_items
from feedlane.settings.wrong_keys import WrongKeys
from feedlane.web.brand import frame_of
from feedlane.web.response import Response, page
from feedlane.webhooks.received import SecretsCache
from feedlane.wiring.parts import Parts

_XERO_DEVELOPER = "https://developer.xero.com/app/manage"


class Site(Parts):
    """The deployed parts. Tests pass in fakes."""

    @property
    def login_url(self) -> str:
        return environment().xero_login_url

    @property
    def developer_url(self) -> str:
        """Where apps are registered: at Xero, or at what plays Xero for this deployment."""
        login = urlsplit(self.login_url)
        is_xero = (login.hostname or "").endswith(".xero.com")
        return _XERO_DEVELOPER if is_xero else f"{login.scheme}://{login.netloc}/"

    @property
    def has_simulator(self) -> bool:
        return self.developer_url != _XERO_DEVELOPER

    @cached_property
    def wrong_keys(self) -> WrongKeys:
        return WrongKeys()

    @cached_property
    def _codat_secrets(self) -> SecretsCache:
        return SecretsCache(lambda: self.vault.codat_webhook_secrets(), self.clock)

    def codat_webhook_secrets(self) -> list[str]:
        """What Codat's webhooks may be signed with. The vault is asked once a minute. Raises `Unavailable`."""
        return self._codat_secrets.secrets()

    def page(self, template: str, status: int = 200, *, form_targets: str = "", **context: Any) -> Response:
        """A page with the platform's name and logo."""
        profile = settings_items.profile(self.store)
        brand = {"logo_url": profile.logo_url, "name": profile.name}
        return page(template, status, form_targets=form_targets, now=self.clock(), **brand, **context)

    def customer_page(self, template: str, status: int = 200, *, form_targets: str = "", **context: Any) -> Response:
        """A page of Link, with the platform's name, logo and colour, and its ways to help."""
        frame = frame_of(settings_items.profile(self.store), settings_items.settings(self.store))
        return page(template, status, form_targets=form_targets, now=self.clock(), **frame, **context)

    def linking(self, redirect_uri: str) -> Linking:
        return Linking(self.ports, self.vault, self.organisations, redirect_uri)
