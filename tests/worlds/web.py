"""Link and the portal with everything around them faked: what a test arranges, and the browser it looks through."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from feedlane.api_key import ApiKey
from feedlane.checking import Checker
from feedlane.company import Company
from feedlane.connection import Connection, Tenant
from feedlane.errors import ReconnectionNeeded
from feedlane.event import Event
from feedlane.ids import fingerprint, new_id
from feedlane.problem import Problem
from feedlane.sessions import Organisation
from feedlane.settings import Profile, Settings
from feedlane.source_account import AccountKind, SourceAccount
from feedlane.store.store import Store
from feedlane.token_set import AccessToken
from feedlane.upstream import TargetAccount
from feedlane.vault import Grant, KeysCheck, Secret
from feedlane.web.site import Site
from tests.fakes.queues import FakeQueues
from tests.fakes.table import MemoryTable
from tests.fakes.upstream import FakeUpstream
from tests.unit.handlers.handlers import Context, load

URL = "https://feeds.example.com"
NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
API_KEY = "fl_unit-test-key"
ACME = Organisation(tenant_id="tenant-acme", name="Acme Ltd", xero_connection_id="xero-acme")
OTHER = Organisation(tenant_id="tenant-other", name="Other Ltd", xero_connection_id="xero-other")


@dataclass
class FakeVault:
    """Every code is good for one exchange."""

    exchanged: list[str] = field(default_factory=list)
    redirect_uris: list[str] = field(default_factory=list)
    verifiers: list[str | None] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    scopes: tuple[str, ...] = ("bankfeeds", "offline_access")
    second: str = ""
    dropped: list[Secret] = field(default_factory=list)
    check: KeysCheck = field(default_factory=lambda: KeysCheck(ok=True))

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None) -> Grant:
        if code in self.exchanged or code == "dead":
            raise ReconnectionNeeded(Problem(type="invalid_grant", title="Invalid grant", status=400))
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
        return AccessToken(value="canary-access", expires_at=NOW + timedelta(minutes=30))

    def create_webhook_secret(self, consumer_id: str) -> str:
        return f"whsec_of_{consumer_id}"

    def save_app_keys(self, client_id: str, client_secret: str) -> KeysCheck:
        self.keys.append((client_id, client_secret))
        return self.check.but(client_id=client_id, endings=(client_secret[-4:],))

    def add_app_secret(self, client_secret: str) -> KeysCheck:
        self.second = client_secret
        return self.check.but(client_id="app-1", endings=("wxyz", client_secret[-4:]))

    def drop_app_secret(self, which: Secret) -> KeysCheck:
        self.dropped.append(which)
        kept = self.second[-4:] if which is Secret.FIRST else "wxyz"
        return KeysCheck(ok=True, client_id="app-1", endings=(kept,))


@dataclass
class FakeOrganisations:
    consented: list[Organisation] = field(default_factory=lambda: [ACME])
    demo: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)

    def authorised(self, grant: Grant) -> list[Organisation]:
        return list(self.consented)

    def details(self, token_set_id: str, organisation: Organisation) -> Tenant:
        return Tenant(
            id=organisation.tenant_id,
            name=organisation.name,
            xero_connection_id=organisation.xero_connection_id,
            base_currency="GBP",
            time_zone="Europe/London",
            demo=organisation.tenant_id in self.demo,
        )

    def remove(self, token_set_id: str, authentication_event_id: str, gone: Iterable[Organisation]) -> None:
        self.removed += [one.tenant_id for one in gone]


class FakeSite(Site):
    public_url = URL
    login_url = "https://login.xero.test"

    def __init__(self) -> None:
        self.time = NOW
        self.store = Store(MemoryTable())
        self.queues = FakeQueues()
        self.vault = FakeVault()
        self.organisations = FakeOrganisations()
        self.upstream = FakeUpstream(
            targets=[
                TargetAccount(id="x-1", name="Current", number="20011234", currency="GBP", kind=AccountKind.BANK),
                TargetAccount(id="x-2", name="Euros", number="99", currency="EUR", kind=AccountKind.BANK),
            ]
        )

    def clock(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class Seen:
    """An answer as a browser sees it."""

    status: int
    body: str
    headers: dict[str, str]
    cookies: list[str]

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def path(self) -> str:
        return urlsplit(self.location).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}


class Browser:
    """Keeps cookies by name and path as a browser does, and sends forms."""

    def __init__(self, site: FakeSite) -> None:
        self.site = site
        self.jar: dict[tuple[str, str], str] = {}

    def get(self, address: str, **more: Any) -> Seen:
        return self._send("GET", address, None, more)

    def post(self, address: str, form: dict[str, str], **more: Any) -> Seen:
        return self._send("POST", address, urlencode(form), more)

    def _send(self, method: str, address: str, body: str | None, more: dict[str, Any]) -> Seen:
        parts = urlsplit(address)
        event = {
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "cookies": [f"{name}={value}" for (name, path), value in self.jar.items() if parts.path.startswith(path)],
            "headers": {"content-type": "application/x-www-form-urlencoded"} | more.get("headers", {}),
            "requestContext": {
                "domainName": "gateway.example",
                "stage": "$default",
                "http": {"method": method, "path": parts.path},
            },
            "body": base64.b64encode(body.encode()).decode() if body is not None else None,
            "isBase64Encoded": body is not None,
        } | more.get("event", {})
        module = load(_FUNCTIONS.get(parts.path.split("/")[1], "link"))
        module.site = self.site  # type: ignore[attr-defined]
        answer = module.handler(event, Context())
        for cookie in answer["cookies"]:
            self._keep(cookie)
        return Seen(answer["statusCode"], answer["body"], answer["headers"], answer["cookies"])

    def _keep(self, cookie: str) -> None:
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        path = next(one.removeprefix("Path=") for one in attributes if one.startswith("Path="))
        if "Max-Age=0" in attributes:
            self.jar.pop((name, path), None)
        else:
            self.jar[name, path] = value


_FUNCTIONS = {"link": "link", "oauth": "oauth_callback", "portal": "portal"}


class World:
    def __init__(self, **settings: Any) -> None:
        self.site = FakeSite()
        self.store, self.queues = self.site.store, self.site.queues
        self.table: MemoryTable = self.store.table  # type: ignore[assignment]
        self.browser = Browser(self.site)
        enabled = {"enabled": True, "bank_feeds": True, "client_id": "app-1", "client_secret_ending": "wxyz"}
        key = ApiKey(id="k", name="Ops", fingerprint=fingerprint(API_KEY), ending="-key", created=NOW)
        self.store.commit(
            self.store.put_settings(Settings(**(enabled | settings))),
            self.store.put_profile(Profile(name="Ledgerly")),
            self.store.add_api_key(key),
        )
        self.connection = self.add_connection()

    def add_connection(self, company_id: str = "") -> Connection:
        if not company_id:
            company = Company(id=new_id(), name="Harbour Bakery", created=NOW)
            self.store.commit(self.store.add_company(company))
            company_id = company.id
        connection = Connection(id=new_id(), company_id=company_id, created=NOW)
        self.store.commit(self.store.add_connection(connection))
        return connection

    def add_account(self, id: str = "main", **more: Any) -> SourceAccount:
        account = SourceAccount(
            id=id,
            connection_id=self.connection.id,
            company_id=self.connection.company_id,
            account_name=more.pop("name", "Main account"),
            account_type=more.pop("type", "Debit"),
            account_number=more.pop("number", "11111234"),
            currency=more.pop("currency", "GBP"),
            balance=Decimal("159000"),
            modified=NOW,
        )
        self.store.commit(self.store.add_source_account(account))
        return account

    def set_profile(self, **changes: Any) -> None:
        self.store.commit(self.store.put_profile(self.store.profile().but(**changes)))

    def now(self, connection: Connection | None = None) -> Connection:
        connection = connection or self.connection
        return self.store.connection(connection.company_id, connection.id)

    def events(self) -> list[str]:
        return [str(item["type"]) for item in self.table.inserted if item["pk"].startswith("EVENT#")]

    def stored(self) -> dict[Any, Any]:
        """What is in the table but for states and sessions."""
        return {key: item for key, item in self.table.items.items() if not key[0].startswith(("STATE#", "SESSION#"))}

    # the road

    def base(self, connection: Connection | None = None) -> str:
        connection = connection or self.connection
        return f"/link/companies/{connection.company_id}/connections/{connection.id}"

    def start(self, connection: Connection | None = None, query: str = "", browser: Browser | None = None) -> str:
        """The state that Xero is sent with."""
        seen = (browser or self.browser).get(f"{self.base(connection)}/start{query}")
        assert seen.status == 302, seen.body
        return seen.query["state"]

    def call_back(self, state: str, code: str = "code-1", browser: Browser | None = None) -> Seen:
        return (browser or self.browser).get(f"/oauth/callback?{urlencode({'code': code, 'state': state})}")

    def link(self, connection: Connection | None = None, code: str = "code-1") -> Seen:
        return self.call_back(self.start(connection), code)

    def look(self, kind: str) -> None:
        """What waits on `statement-checks` of this kind is looked at once."""
        checker = Checker(self.store, self.site.queues, self.site.upstream, self.site.clock, new_id)
        for check, _ in self.site.queues.take("checks"):
            if check.kind == kind:
                checker.look(check)

    def payloads(self, event_type: str) -> list[dict[str, Any]]:
        found = [Event.model_validate(item) for item in self.table.inserted if item["pk"].startswith("EVENT#")]
        return [event.payload for event in found if event.type == event_type]

    def form_token(self, address: str) -> str:
        body = self.browser.get(address).body
        return body.split('name="formToken" value="')[1].split('"')[0]
