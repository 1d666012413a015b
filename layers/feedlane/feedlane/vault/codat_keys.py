"""Codat's API keys, of which there are two while one is being replaced, and the secrets of its webhooks."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from feedlane.clock import Clock
from feedlane.credentials.vault import CODAT_KEY_NOT_SET, CodatCheck, CodatKey, SecretSlot
from feedlane.errors import AppKeysRejected, Invalid, Unavailable
from feedlane.ids import fingerprint
from feedlane.problem import Problem
from feedlane.record import Record
from feedlane.vault.app_keys import require_plain
from feedlane.vault.exclusive import Change, exclusive_change
from feedlane.vault.leases import Leases, LeaseState
from feedlane.vault.published import published_version
from feedlane.vault.secrets import Secrets

NAME = "codat-keys"
# Codat goes on signing with a secret for a day after it was replaced, as its deliverer does.
WEBHOOK_SECRET_OVERLAP = timedelta(hours=24)
_SIGNING_PREFIX = "whsec_"
_OK_BEST_FIRST = (True, None, False)
_REJECTED = (
    "Codat does not accept this API key. Enter the key itself, as Codat's portal shows it, and not the header that is "
    "made of it."
)
_UNCHECKED = "The key could not be checked: Codat did not answer."
NOT_SET = Problem(
    type=CODAT_KEY_NOT_SET, title="Codat's API key missing", status=401, detail="Codat's API key is not set."
)

# Whether Codat accepts a key; None if it could not be asked.
CheckKey = Callable[[str], bool | None]


def cannot_ask(_key: str) -> bool | None:
    """For a vault without a way to Codat."""
    return None


class StoredCodatKeys(Record):
    """The newest first. `former_until`: until when the second of the webhooks' secrets counts."""

    keys: tuple[str, ...] = Field(default=(), repr=False)
    checked: bool = False
    webhook_secrets: tuple[str, ...] = Field(default=(), repr=False)
    former_until: datetime | None = None
    version: int = 0


class CodatKeys:
    """The lease item names the valid version, as for the app's keys at Xero."""

    def __init__(
        self, secrets: Secrets, leases: Leases, check: CheckKey, clock: Clock, pause: Callable[[float], None]
    ) -> None:
        self._secrets = secrets
        self._leases = leases
        self._check = check
        self._clock = clock
        self._pause = pause
        self._cache: tuple[str, StoredCodatKeys] | None = None

    def save(self, api_key: str) -> CodatCheck:
        require_plain("apiKey", api_key)
        with self._exclusive_change() as change:
            stored = self._read(change.lease)
            ok = self._check(api_key)
            if ok is False:
                return CodatCheck(ok=False, message=_REJECTED)
            former = [key for key in stored.keys if key != api_key][:1]
            after = stored.but(keys=(api_key, *former), checked=ok is True)
            return self._store(change, after, ok, "" if ok else _UNCHECKED)

    def drop(self, slot: SecretSlot) -> CodatCheck:
        with self._exclusive_change() as change:
            stored = self._read(change.lease)
            if len(stored.keys) < 2:
                raise Invalid.field("apiKey", "is the only key; save another one before you drop it", "Last")
            kept = stored.keys[1 if slot is SecretSlot.FIRST else 0]
            ok = self._check(kept)
            if ok is None:
                raise Unavailable(_UNCHECKED)
            if ok is False:
                message = f"cannot be dropped: Codat does not accept the other key, which ends in {kept[-4:]}"
                raise Invalid.field("apiKey", message, "AppKeys")
            return self._store(change, stored.but(keys=(kept,), checked=True), True)

    def describe(self, check: bool) -> CodatCheck:
        stored = self._read_valid()
        ok: bool | None = stored.checked or None
        if check and stored.keys:
            ok = min([self._check(key) for key in stored.keys], key=_OK_BEST_FIRST.index)
        return _described(stored, ok)

    def key(self, rejected: str | None) -> CodatKey:
        keys = self._read_valid().keys
        if not keys:
            raise AppKeysRejected(NOT_SET)
        others = [key for key in keys if fingerprint(key) != rejected]
        return CodatKey(value=(others or list(keys))[0])

    def save_webhook_secret(self, secret: str) -> CodatCheck:
        _require_webhook_secret(secret)
        with self._exclusive_change() as change:
            stored = self._read(change.lease)
            if secret in stored.webhook_secrets[:1]:
                return _described(stored, None)
            after = stored.but(
                webhook_secrets=(secret, *stored.webhook_secrets[:1]),
                former_until=self._clock() + WEBHOOK_SECRET_OVERLAP,
            )
            return self._store(change, after, None)

    def webhook_secrets(self) -> list[str]:
        stored = self._read_valid()
        is_former_valid = stored.former_until is not None and self._clock() < stored.former_until
        return list(stored.webhook_secrets[: 2 if is_former_valid else 1])

    def _read_valid(self) -> StoredCodatKeys:
        return self._read(self._leases.read(NAME))

    def _read(self, lease: LeaseState) -> StoredCodatKeys:
        """Raises `NotShownYet`."""
        if not lease.version:
            return StoredCodatKeys()
        if self._cache is None or self._cache[0] != lease.version:
            secret = published_version(self._secrets, NAME, lease.version, self._pause)
            self._cache = (lease.version, StoredCodatKeys.model_validate_json(secret.text))
        return self._cache[1]

    def _store(self, change: Change, stored: StoredCodatKeys, ok: bool | None, message: str = "") -> CodatCheck:
        version = max(int(self._clock().timestamp() * 1000), stored.version + 1)
        stored = stored.but(version=version)
        change.publish(self._secrets.write(NAME, stored.model_dump_json()))
        return _described(stored, ok, message)

    def _exclusive_change(self) -> AbstractContextManager[Change]:
        return exclusive_change(self._leases, NAME, "Codat's keys", self._clock, self._pause)


def _described(stored: StoredCodatKeys, ok: bool | None, message: str = "") -> CodatCheck:
    facts: dict[str, Any] = {
        "endings": tuple(key[-4:] for key in stored.keys),
        "webhook_ending": stored.webhook_secrets[0][-4:] if stored.webhook_secrets else "",
        "version": stored.version,
    }
    return CodatCheck(ok=ok, message=message, **facts)


def _require_webhook_secret(secret: str) -> None:
    require_plain("webhookSecret", secret)
    try:
        key = base64.b64decode(secret.removeprefix(_SIGNING_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_SIGNING_PREFIX) or not key:
        rule = f"must be the signing secret as Codat's portal shows it: {_SIGNING_PREFIX} and base64"
        raise Invalid.field("webhookSecret", rule, "Format")
