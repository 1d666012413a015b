"""Xero's Python SDK with a user's tokens, for all its points."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from points import BAKERY, CLIENT_ID, CLIENT_SECRET, REDIRECT, SCOPES, consent, equal, organisations
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.identity import IdentityApi


class Session:
    def __init__(self) -> None:
        self.known = organisations()
        self.token: dict[str, Any] = {}
        self.client = ApiClient(
            Configuration(oauth2_token=OAuth2Token(client_id=CLIENT_ID, client_secret=CLIENT_SECRET))
        )
        self.client.oauth2_token_getter(lambda: self.token)
        self.client.oauth2_token_saver(self.save)
        self.identity = IdentityApi(self.client)
        self.accounting = AccountingApi(self.client)

    def save(self, token: dict[str, Any]) -> None:
        self.token = token

    def tenant(self, name: str = BAKERY) -> str:
        return str(self.known[name]["tenantId"])

    def account_id(self, name: str) -> str:
        return str(next(one["accountId"] for one in self.known[BAKERY]["accounts"] if one["name"] == name))

    def connect(self, *names: str, scopes: list[str] = SCOPES) -> None:
        """The consent, which applications do with a library of their own, and the token for the SDK."""
        asked = {
            "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": REDIRECT, "scope": " ".join(scopes),
            "state": "s",
        }  # fmt: skip
        back = consent(f"https://login.xero.com/identity/connect/authorize?{urlencode(asked)}", *names)
        code = parse_qs(urlsplit(back).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        url = "https://identity.xero.com/connect/token"
        answer = requests.post(url, data=form, auth=(CLIENT_ID, CLIENT_SECRET), timeout=20)
        equal(answer.status_code, 200)
        token = answer.json()
        self.token = token | {"scope": token["scope"].split()}

    def accounts(self, where: str | None = None, order: str | None = None, name: str = BAKERY) -> list[str]:
        named = {key: value for key, value in {"where": where, "order": order}.items() if value is not None}
        return [one.name for one in self.accounting.get_accounts(self.tenant(name), **named).accounts]

    @contextmanager
    def using(self, token: dict[str, Any]) -> Iterator[None]:
        """With another token; afterwards the first one counts again."""
        own, self.token = self.token, token
        try:
            yield
        finally:
            self.token = own
