"""The vault as a port: the only way to keys and tokens. Other functions get short-lived access tokens, no more."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from feedlane.credentials.token_set import AccessToken
from feedlane.record import Record

# The problem of a call for which there are no keys.
KEYS_NOT_SET = "app-keys-not-set"


class Grant(Record):
    """What an exchanged code brought: the token set is stored already, this is its access token."""

    token_set_id: str
    access_token: str
    expires_at: datetime
    xero_user_id: str
    authentication_event_id: str
    scopes: tuple[str, ...]


class KeysCheck(Record):
    """What Xero said of the app's keys. `ok` None: Xero could not be asked now; the keys are stored all the same.

    `endings` are the last four characters of the secrets that are stored now, in the order in which they are tried.
    `version` rises with every change of the keys; 0: there are none.
    """

    ok: bool | None
    field: str = ""
    message: str = ""
    client_id: str = ""
    version: int = 0
    endings: tuple[str, ...] = ()


class SecretSlot(StrEnum):
    """Which of the app's secrets: the one that is tried first, or the one that is tried when Xero refuses that."""

    FIRST = "first"
    SECOND = "second"


class Vault(Protocol):
    def save_app_keys(self, client_id: str, client_secret: str) -> KeysCheck:
        """Checks the keys with Xero and stores them unless Xero says they are wrong. Raises `Invalid`.

        A former secret of the same app stays as the second.
        """

    def add_app_secret(self, client_secret: str) -> KeysCheck:
        """A second secret, tried when Xero does not know the first. Checked as `save_app_keys` does it.

        Raises `Invalid`, `AppKeysRejected` if there are no keys yet.
        """

    def drop_app_secret(self, which: SecretSlot) -> KeysCheck:
        """Forgets one of two secrets, if Xero knows the other. Raises `Invalid`, `Unavailable`."""

    def app_keys(self, check: bool = False) -> KeysCheck:
        """The keys as they stand. `check` asks Xero; otherwise `ok` is what Xero said when they were stored."""

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None) -> Grant:
        """Raises `ReconnectionNeeded` (the code is dead), `AppKeysRejected`, `Unavailable`."""

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        """A token that works now. `rejected` is the fingerprint of one that got a 401: it will not be given again.

        Raises `ReconnectionNeeded`, `AppKeysRejected`, `Unavailable`.
        """

    def revoke(self, token_set_id: str) -> None:
        """Ends the whole grant at Xero (all organisations of that user) and forgets the token set."""

    def create_webhook_secret(self, consumer_id: str) -> str:
        """A new `whsec_…` secret of a consumer; it is shown this once. Those before go on signing for 24 hours.

        Raises `Invalid` if it is done too often.
        """

    def webhook_secrets(self, consumer_id: str) -> list[str]:
        """The secrets to sign with, the newest first."""

    def webhook_headers(self, consumer_id: str) -> dict[str, str]:
        """The headers of its own that a consumer's webhooks have."""

    def set_webhook_headers(self, consumer_id: str, headers: dict[str, str]) -> None:
        """Instead of those before. Raises `Invalid` if there is no room for them."""

    def delete_webhook_secret(self, consumer_id: str) -> None:
        """All its secrets, and its headers."""
