"""The vault over in-memory stores, and an identity server that rotates refresh tokens as Xero does."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import httpx

from feedlane.clock import Clock
from feedlane.http import Http
from feedlane.store import keys
from feedlane.store.table import Item, Write
from feedlane.vault.service import VaultService
from feedlane.xero.identity import Identity
from tests.builders import NOW
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable
from tests.rights import acting_as, invoked
from tests.worlds.base import BaseWorld

GRACE = timedelta(minutes=30)
CLIENT_ID = "CLIENT0123456789ABCDEF"
SECRET = "canary-client-secret-one"
NEW_SECRET = "canary-client-secret-two"
USER = "5f2c1a3e-0000-4000-8000-000000000001"
REDIRECT = "https://feedlane.example/oauth/callback"
CONTINUOUS = "openid offline_access bankfeeds"


@dataclass
class IdentityServer:
    """Accepts codes that begin with `code-`, each once. A refresh token works until 30 minutes after it was replaced.

    The code `code-x@user` is of another user.

    `before` and `after` are called around each refresh, with its number; they may raise, or return another answer.
    """

    clock: Clock
    secrets: list[str] = field(default_factory=lambda: [SECRET])
    scope: str = CONTINUOUS
    forms: list[dict[str, str]] = field(default_factory=list)
    alive_until: dict[str, datetime] = field(default_factory=dict)
    before: Callable[[int], httpx.Response | None] = lambda _: None
    after: Callable[[int], httpx.Response | None] = lambda _: None
    codes_taken: set[str] = field(default_factory=set)
    _issued: int = 0
    _users: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def refreshes(self) -> int:
        return sum(form.get("grant_type") == "refresh_token" for form in self.forms)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        with self._lock:
            self.forms.append(form)
            number = self.refreshes
        if form.get("grant_type") == "refresh_token":
            return self.before(number) or self._answer_refresh(request, form, number)
        return self._answer(request, form)

    def _answer_refresh(self, request: httpx.Request, form: dict[str, str], number: int) -> httpx.Response:
        answer = self._answer(request, form)
        return self.after(number) or answer

    def _answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        client, _, secret = base64.b64decode(request.headers["authorization"][6:]).decode().partition(":")
        if client != CLIENT_ID or secret not in self.secrets:
            return refused("invalid_client")
        if request.url.path == "/connect/revocation":
            self.alive_until.clear()
            return httpx.Response(200)
        with self._lock:
            match form:
                case {"grant_type": "authorization_code", "code": code} if self._is_new(code):
                    return self._issue_pair(code.partition("@")[2] or USER)
                case {"grant_type": "refresh_token", "refresh_token": token}:
                    if self.clock() >= self.alive_until.get(token, NOW):
                        return refused("invalid_grant")
                    self.alive_until[token] = min(self.alive_until[token], self.clock() + GRACE)
                    return self._issue_pair(self._users[token])
                case {"grant_type": "client_credentials"}:
                    return httpx.Response(200, json={"access_token": "app", "expires_in": 1800})
        return refused("invalid_grant")

    def _is_new(self, code: str) -> bool:
        """A code can be exchanged once."""
        is_new = code.startswith("code-") and code not in self.codes_taken
        self.codes_taken.add(code)
        return is_new

    def _issue_pair(self, user: str) -> httpx.Response:
        self._issued += 1
        refresh = f"canary-refresh-{self._issued}"
        self._users[refresh] = user
        pair = {"access_token": jwt(f"canary-access-{self._issued}", user), "expires_in": 1800, "scope": self.scope}
        if "offline_access" in self.scope:
            self.alive_until[refresh] = self.clock() + timedelta(days=60)
            pair["refresh_token"] = refresh
        return httpx.Response(200, json=pair)


class FragileTable(MemoryTable):
    """Fails commits on request. `dead`: the process has ended."""

    dead = False
    on_commit: Callable[[], None] | None = None

    def commit(self, *writes: Write) -> None:
        if self.dead:
            raise Crash
        if self.on_commit:
            with acting_as():
                self.on_commit()
        super().commit(*writes)


class FragileSecrets(MemorySecrets):
    on_write: Callable[[str], None] | None = None
    after_write: Callable[[str], None] | None = None

    def write(self, name: str, text: str) -> str:
        if self.on_write:
            self.on_write(name)
        version = super().write(name, text)
        if self.after_write:
            self.after_write(name)
        return version


class Crash(BaseException):
    """The process ends here. Nothing in the code under test may swallow it."""


class World(BaseWorld):
    def __init__(self, token_sets_per_secret: int = 1) -> None:
        super().__init__(table=FragileTable())
        self.token_sets_per_secret = token_sets_per_secret
        self.server = IdentityServer(self.clock)
        self.secrets = FragileSecrets(self.clock)
        self.pauses: list[float] = []
        self.codat_answers: dict[str, bool | None] = {}
        """What Codat says of its API keys; it accepts all others."""

    def vault(self, pause: Callable[[float], None] | None = None) -> VaultService:
        """The vault of a new function instance, with nothing in memory."""
        identity = Identity(Http("https://identity.test", transport=httpx.MockTransport(self.server)), self.clock)
        parts = (self.secrets, self.table, identity, self.clock, pause or self.pauses.append)
        service = VaultService(*parts, self.token_sets_per_secret, lambda key: self.codat_answers.get(key, True))
        return invoked(service)

    def connect(self, code: str = "code-1") -> str:
        """Stores the app's keys, has a customer authorise the app, and returns the token set's id."""
        vault = self.vault()
        vault.save_app_keys(CLIENT_ID, SECRET)
        return vault.exchange_code(code, REDIRECT).token_set_id

    def lease(self, token_set_id: str) -> Item:
        return self.table.get(keys.lease(token_set_id)) or {}

    def restart(self) -> VaultService:
        """The vault after a crash: the table and the secrets are as the dead process left them."""
        self.table.dead = False
        self.table.on_commit = self.secrets.on_write = self.secrets.after_write = None
        return self.vault()


def refused(error: str) -> httpx.Response:
    return httpx.Response(400, json={"error": error})


def jwt(name: str, user: str = USER) -> str:
    claims = {"xero_userid": user, "authentication_event_id": "9d1b0000-0000-4000-8000-00000000000e", "jti": name}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"header.{payload}.{name}"
