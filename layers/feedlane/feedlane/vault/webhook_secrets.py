"""The consumers' signing secrets and headers, all in one secret: Secrets Manager charges for each by the month."""

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
from feedlane.vault.secrets import Secrets

NAME = "webhook-secrets"
# How long a secret goes on signing beside the one that replaced it.
ROTATION_OVERLAP = timedelta(hours=24)
SECRETS_PER_CONSUMER_MAX = 5
# Secrets Manager takes 65,536 bytes.
SECRET_BYTES_MAX = 64_000
_TRIES = 8
# By consumer: {"secrets": [{"secret", "until"?}, …] (the newest first), "headers": {…}}.
ByConsumer = dict[str, dict[str, Any]]


class WebhookSecrets:
    def __init__(self, secrets: Secrets, leases: Leases, clock: Clock) -> None:
        self._secrets = secrets
        self._leases = leases
        self._clock = clock
        self._remembered: tuple[str, ByConsumer] = ("", {})

    def create(self, consumer_id: str) -> str:
        """A new secret in Standard Webhooks' form; those before go on signing for a day. Raises `Invalid`."""
        made = "whsec_" + base64.b64encode(randomness.token_bytes(32)).decode()

        def add(all: ByConsumer) -> ByConsumer:
            now = self._clock()
            own = all.get(consumer_id, {})
            until = iso(now + ROTATION_OVERLAP)
            before = [{"until": until} | one for one in _valid_secrets(own, now)]
            if len(before) >= SECRETS_PER_CONSUMER_MAX:
                rule = f"has been rotated {SECRETS_PER_CONSUMER_MAX - 1} times within 24 hours; the next time is {{}}"
                raise Invalid.field("secret", rule.format(before[-1]["until"]), "MaximumCount")
            return all | {consumer_id: own | {"secrets": [{"secret": made}, *before]}}

        self._change(add)
        return made

    def of(self, consumer_id: str) -> list[str]:
        """Those that are valid now, the newest first."""
        return [one["secret"] for one in _valid_secrets(self._all().get(consumer_id, {}), self._clock())]

    def headers_of(self, consumer_id: str) -> dict[str, str]:
        return dict(self._all().get(consumer_id, {}).get("headers", {}))

    def set_headers(self, consumer_id: str, headers: dict[str, str]) -> None:
        """Instead of those before. Raises `Invalid` if there is no room for them."""
        self._change(lambda all: all | {consumer_id: all.get(consumer_id, {}) | {"headers": headers}})

    def delete(self, consumer_id: str) -> None:
        self._change(lambda all: {id: kept for id, kept in all.items() if id != consumer_id})

    def _change(self, change: Callable[[ByConsumer], ByConsumer]) -> None:
        """Written anew, and published unless somebody else was first: then once more from the start."""
        for _ in range(_TRIES):
            seen = self._leases.look(NAME)
            before = self._at(seen)
            after = change(before)
            if after == before:
                return
            text = json.dumps(after)
            if len(text) > SECRET_BYTES_MAX:
                raise Invalid.field("headers", "of all consumers together take too much room", "MaximumLength")
            version = self._secrets.write(NAME, text)
            try:
                self._leases.publish(seen, version)
            except LeaseLost:
                continue
            return
        raise Unavailable("Too many changes of webhook secrets at once", 1)

    def _all(self) -> ByConsumer:
        return self._at(self._leases.look(NAME))

    def _at(self, seen: LeaseState) -> ByConsumer:
        version, all = self._remembered
        if version != seen.version:
            found = self._secrets.version(NAME, seen.version) if seen.version else None
            all = json.loads(found.text) if found else {}
            self._remembered = (seen.version, all)
        return all


def _valid_secrets(own: dict[str, Any], now: datetime) -> list[dict[str, str]]:
    return [one for one in own.get("secrets", []) if "until" not in one or one["until"] > iso(now)]
