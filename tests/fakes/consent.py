"""In-memory fakes for a customer's consent: the vault that exchanges codes, and the organisations behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from feedlane.companies.connection import Tenant
from feedlane.companies.organisations import Organisation
from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import Grant, KeysCheck, SecretSlot
from feedlane.errors import ReconnectionNeeded
from feedlane.problem import Problem
from tests import rights
from tests.builders import NOW

ACME = Organisation(tenant_id="tenant-acme", name="Acme Ltd", xero_connection_id="xero-acme")
OTHER = Organisation(tenant_id="tenant-other", name="Other Ltd", xero_connection_id="xero-other")


@dataclass
class FakeVault:
    """Each code is exchanged once; a repeat of the same start gets the same grant."""

    exchanged: list[str] = field(default_factory=list)
    redirect_uris: list[str] = field(default_factory=list)
    verifiers: list[str | None] = field(default_factory=list)
    starts: dict[str, tuple[str, str | None, str]] = field(default_factory=dict)
    keys: list[tuple[str, str]] = field(default_factory=list)
    scopes: tuple[str, ...] = ("bankfeeds", "offline_access")
    second: str = ""
    dropped: list[SecretSlot] = field(default_factory=list)
    check: KeysCheck = field(default_factory=lambda: KeysCheck(ok=True))
    on_delete: Callable[[str], None] = lambda _: None
    webhook_headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None, state: str = "") -> Grant:
        rights.require_vault("exchange_code")
        start = (redirect_uri, code_verifier, state)
        if code == "dead" or self.starts.setdefault(code, start) != start:
            raise ReconnectionNeeded(Problem(type="invalid_grant", title="Invalid grant", status=400))
        if code not in self.exchanged:
            self.exchanged.append(code)
            self.verifiers.append(code_verifier)
            self.redirect_uris.append(redirect_uri)
        return Grant(
            token_set_id="token-set-1",
            access_token=f"canary-access-{code}",
            expires_at=NOW + timedelta(minutes=30),
            xero_user_id="user-1",
            authentication_event_id=f"event-{code}",
            scopes=self.scopes,
        )

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        rights.require_vault("access_token")
        return AccessToken(value="canary-access", expires_at=NOW + timedelta(minutes=30))

    def create_webhook_secret(self, consumer_id: str) -> str:
        rights.require_vault("create_webhook_secret")
        return f"whsec_of_{consumer_id}"

    def set_webhook_headers(self, consumer_id: str, headers: Mapping[str, str]) -> None:
        rights.require_vault("set_webhook_headers")
        self.webhook_headers[consumer_id] = dict(headers)

    def delete_webhook_secret(self, consumer_id: str) -> None:
        rights.require_vault("delete_webhook_secret")
        self.on_delete(consumer_id)

    def save_app_keys(self, client_id: str, client_secret: str) -> KeysCheck:
        rights.require_vault("save_app_keys")
        self.keys.append((client_id, client_secret))
        return self.check.but(client_id=client_id, endings=(client_secret[-4:],))

    def app_keys(self, check: bool = False) -> KeysCheck:
        rights.require_vault("app_keys")
        return self.check.but(client_id="app-1", endings=("wxyz",))

    def add_app_secret(self, client_secret: str) -> KeysCheck:
        rights.require_vault("add_app_secret")
        self.second = client_secret
        return self.check.but(client_id="app-1", endings=("wxyz", client_secret[-4:]))

    def drop_app_secret(self, which: SecretSlot) -> KeysCheck:
        rights.require_vault("drop_app_secret")
        self.dropped.append(which)
        kept_ending = self.second[-4:] if which is SecretSlot.FIRST else "wxyz"
        return KeysCheck(ok=True, client_id="app-1", endings=(kept_ending,))


@dataclass
class FakeOrganisations:
    consented: list[Organisation] = field(default_factory=lambda: [ACME])
    demo: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)

    def authorised_in(self, grant: Grant) -> list[Organisation]:
        return list(self.consented)

    def details(self, token_set_id: str, organisation: Organisation) -> Tenant:
        rights.require_vault()
        return Tenant(
            id=organisation.tenant_id,
            name=organisation.name,
            xero_connection_id=organisation.xero_connection_id,
            base_currency="GBP",
            time_zone="Europe/London",
            demo=organisation.tenant_id in self.demo,
        )

    def remove(self, token_set_id: str, authentication_event_id: str, organisations: Iterable[Organisation]) -> None:
        rights.require_vault()
        self.removed += [organisation.tenant_id for organisation in organisations]
