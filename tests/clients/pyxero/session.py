"""pyxero with a user's credentials, for all its points."""

from typing import Any

from points import BAKERY, CLIENT_ID, CLIENT_SECRET, REDIRECT, SCOPES, organisations
from xero import Xero
from xero.auth import OAuth2Credentials


class Session:
    def __init__(self) -> None:
        self.known = organisations()
        self.credentials = self.new_credentials()

    def new_credentials(self, **changes: Any) -> OAuth2Credentials:
        return OAuth2Credentials(CLIENT_ID, CLIENT_SECRET, **({"callback_uri": REDIRECT, "scope": SCOPES} | changes))

    def at(self, name: str = BAKERY) -> Xero:
        self.credentials.tenant_id = self.known[name]["tenantId"]
        return Xero(self.credentials)

    def account_id(self, name: str) -> str:
        return str(next(one["accountId"] for one in self.known[BAKERY]["accounts"] if one["name"] == name))
