"""The vault as a port: the only access to keys and tokens. Other functions get only short-lived access tokens."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from feedlane.credentials.token_set import AccessToken
from feedlane.record import Record

# The types of the problems when Codat rejects its API key, and when there is none: both hold the app.
CODAT_KEY_REJECTED = "codat-key-rejected"
CODAT_KEY_NOT_SET = "codat-key-not-set"
# The type of the problem when the app has no keys.
KEYS_NOT_SET = "app-keys-not-set"


class Grant(Record):
    """The result of a code exchange: the token set, already stored, and its access token."""

    token_set_id: str
    access_token: str
    expires_at: datetime
    xero_user_id: str
    authentication_event_id: str
    scopes: tuple[str, ...]


class KeysCheck(Record):
    """Xero's verdict on the app's keys. `ok` None: Xero could not be reached; the keys are stored all the same.

    `endings` are the last four characters of the stored secrets, in the order in which they are tried.
    `version` grows with every change of the keys; 0: there are none.
    """

    ok: bool | None
    field: str = ""
    message: str = ""
    client_id: str = ""
    version: int = 0
    endings: tuple[str, ...] = ()


class CodatKey(Record):
    """Codat's API key, for a function that calls Codat: never stored outside the vault."""

    value: str = Field(repr=False)


class CodatCheck(Record):
    """Codat's verdict on its API key. `ok` None: Codat could not be reached; the key is stored all the same.

    `endings` are the last four characters of the stored keys, in the order in which they are tried, and
    `webhook_ending` those of the secret that signs Codat's webhooks. `version` grows with every change; 0: nothing is
    stored.
    """

    ok: bool | None
    message: str = ""
    endings: tuple[str, ...] = ()
    webhook_ending: str = ""
    version: int = 0


class SecretSlot(StrEnum):
    """One of the app's secrets: the first to be tried, or the one to be tried when Xero refuses the first."""

    FIRST = "first"
    SECOND = "second"


class Vault(Protocol):
    def save_app_keys(self, client_id: str, client_secret: str) -> KeysCheck:
        """Checks the keys with Xero and stores them unless Xero rejects them. Raises `Invalid`.

        A former secret of the same app is kept as the second.
        """

    def add_app_secret(self, client_secret: str) -> KeysCheck:
        """Stores a second secret, to be tried when Xero rejects the first. Checked as in `save_app_keys`.

        Raises `Invalid`, `AppKeysRejected` if there are no keys yet.
        """

    def drop_app_secret(self, which: SecretSlot) -> KeysCheck:
        """Deletes one of two secrets, if Xero accepts the other. Raises `Invalid`, `Unavailable`."""

    def app_keys(self, check: bool = False) -> KeysCheck:
        """The current keys. `check` asks Xero; otherwise `ok` is Xero's verdict when they were stored."""

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None, state: str = "") -> Grant:
        """The grant. A repeat with the same arguments answers the same one, although Xero takes a code only once.

        `state` is the fingerprint of the state that came with the code: without PKCE, only it tells whose code it is.
        Raises `ReconnectionNeeded` (the code is dead, or another start's), `AppKeysRejected`, `Unavailable`.
        """

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        """A valid token. `rejected` is the fingerprint of a token that got a 401: it is not given again.

        Raises `ReconnectionNeeded`, `AppKeysRejected`, `Unavailable`.
        """

    def revoke(self, token_set_id: str) -> None:
        """Revokes the whole grant at Xero (all organisations of that user) and deletes the token set.

        Raises `Unavailable` (also if the user has just consented again: then it stays), `AppKeysRejected`.
        """

    def app_token(self) -> AccessToken:
        """A token for the app itself, which lists and removes its connections at Xero, whoever made them.

        Raises `AppKeysRejected` (also if Xero gives none to such an app), `Unavailable`.
        """

    def create_webhook_secret(self, consumer_id: str) -> str:
        """A new `whsec_…` secret of a consumer, shown only once. Its former secrets sign for another 24 hours.

        Raises `Invalid` if called too often.
        """

    def webhook_secrets(self, consumer_id: str) -> list[str]:
        """The secrets that sign a consumer's webhooks, the newest first."""

    def webhook_headers(self, consumer_id: str) -> dict[str, str]:
        """The custom headers of a consumer's webhooks."""

    def set_webhook_headers(self, consumer_id: str, headers: dict[str, str]) -> None:
        """Replaces the custom headers. Raises `Invalid` if all consumers' together are too large."""

    def delete_webhook_secret(self, consumer_id: str) -> None:
        """Deletes all secrets of a consumer, and its headers."""

    def save_codat_key(self, api_key: str) -> CodatCheck:
        """Checks the key with Codat and stores it unless Codat rejects it. The former one is kept as the second.

        Raises `Invalid`.
        """

    def drop_codat_key(self, which: SecretSlot) -> CodatCheck:
        """Deletes one of two keys, if Codat accepts the other. Raises `Invalid`, `Unavailable`."""

    def codat_keys(self, check: bool = False) -> CodatCheck:
        """The current keys, without their text. `check` asks Codat whether it accepts one of them."""

    def codat_key(self, rejected: str | None = None) -> CodatKey:
        """The key to call with. `rejected` is the fingerprint of one that got a 401: another is given, if there is one.

        Raises `AppKeysRejected` if there is none at all.
        """

    def save_codat_webhook_secret(self, secret: str) -> CodatCheck:
        """Stores the secret of Codat's webhooks. The former one counts for another day. Raises `Invalid`.

        Codat tells nobody whether a secret is right: `ok` stays None.
        """

    def codat_webhook_secrets(self) -> list[str]:
        """The secrets that Codat's webhooks may be signed with, the newest first."""
