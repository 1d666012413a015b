"""The consumers' signing secrets and headers, all in one secret: Secrets Manager charges monthly for each one."""

from __future__ import annotations

import base64
import json
import secrets as randomness
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from feedlane.clock import Clock, iso
from feedlane.errors import Invalid, Unavailable
from feedlane.vault.leases import LeaseLost, Leases, LeaseState
from feedlane.vault.published import published_version
from feedlane.vault.secrets import Secrets

NAME = "webhook-secrets"
# How long a secret continues to sign beside the one that replaced it.
ROTATION_OVERLAP = timedelta(hours=24)
SECRETS_PER_CONSUMER_MAX = 5
# Secrets Manager accepts 65,536 bytes.
SECRET_BYTES_MAX = 64_000
_ATTEMPTS_MAX = 8
# By consumer: {"secrets": [{"secret", "until"?}, …] (the newest first), "headers": {…}}.
ByConsumer = dict[str, dict[str, Any]]


class WebhookSecrets:
    def __init__(self, secrets: Secrets, leases: Leases, clock: Clock, pause: Callable[[float], None]) -> None:
        self._secrets = secrets
        self._leases = leases
        self._clock = clock
        self._pause = pause
        self._cache: tuple[str, ByConsumer] = ("", {})

    def create(self, consumer_id: str) -> str:
        """Creates a secret in Standard Webhooks' format; earlier ones continue to sign for a day. Raises `Invalid`."""
        secret = "whsec_" + base64.b64encode(randomness.token_bytes(32)).decode()

        def add(all: ByConsumer) -> ByConsumer:
            now = self._clock()
            entry = all.get(consumer_id, {})
            until = iso(now + ROTATION_OVERLAP)
            earlier = [{"until": until} | record for record in _valid_secrets(entry, now)]
            if len(earlier) >= SECRETS_PER_CONSUMER_MAX:
                rotations = f"has been rotated {SECRETS_PER_CONSUMER_MAX - 1} times within 24 hours"
                rule = f"{rotations}; it can be rotated again at {earlier[-1]['until']}"
                raise Invalid.field("secret", rule, "MaximumCount")
            return all | {consumer_id: entry | {"secrets": [{"secret": secret}, *earlier]}}

        self._change(add)
        return secret

    def secrets_of(self, consumer_id: str) -> list[str]:
        """The consumer's valid secrets, newest first."""
        return [record["secret"] for record in _valid_secrets(self._all().get(consumer_id, {}), self._clock())]

    def headers_of(self, consumer_id: str) -> dict[str, str]:
        return dict(self._all().get(consumer_id, {}).get("headers", {}))

    def set_headers(self, consumer_id: str, headers: dict[str, str]) -> None:
        """Replaces the consumer's headers. Raises `Invalid` if there is no room for them."""
        self._change(lambda all: all | {consumer_id: all.get(consumer_id, {}) | {"headers": headers}})

    def delete(self, consumer_id: str) -> None:
        self._change(lambda all: {id: entry for id, entry in all.items() if id != consumer_id})

    def _change(self, change: Callable[[ByConsumer], ByConsumer]) -> None:
        """Writes a new version and publishes it; starts again if another change was published first."""
        for _ in range(_ATTEMPTS_MAX):
            lease = self._leases.read(NAME)
            before = self._read(lease)
            after = change(before)
            if after == before:
                return
            text = json.dumps(after)
            if len(text) > SECRET_BYTES_MAX:
                raise Invalid.field("headers", "of all consumers together are too large", "MaximumLength")
            version = self._secrets.write(NAME, text)
            try:
                self._leases.publish(lease, version)
            except LeaseLost:
                continue
            return
        raise Unavailable("Too many changes of webhook secrets at once", 1)

    def _all(self) -> ByConsumer:
        return self._read(self._leases.read(NAME))

    def _read(self, lease: LeaseState) -> ByConsumer:
        """Raises `NotShownYet`: a change must never start from nothing because its basis is not shown yet."""
        if not lease.version:
            return {}
        version, all = self._cache
        if version != lease.version:
            all = json.loads(published_version(self._secrets, NAME, lease.version, self._pause).text)
            self._cache = (lease.version, all)
        return all


def _valid_secrets(entry: dict[str, Any], now: datetime) -> list[dict[str, str]]:
    return [record for record in entry.get("secrets", []) if "until" not in record or record["until"] > iso(now)]
