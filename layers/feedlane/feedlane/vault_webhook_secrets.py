"""The consumers' signing secrets, all in one secret: Secrets Manager charges for each by the month."""

from __future__ import annotations

import base64
import json
import secrets as randomness
from collections.abc import Callable

from feedlane.errors import Unavailable
from feedlane.vault_lease import Leases, LeaseState, Lost
from feedlane.vault_secrets import Secrets

NAME = "webhook-secrets"
# The one in use and the one before it: both sign while a consumer changes over.
MOST_PER_CONSUMER = 2
_TRIES = 8
ByConsumer = dict[str, list[str]]


class WebhookSecrets:
    def __init__(self, secrets: Secrets, leases: Leases) -> None:
        self._secrets = secrets
        self._leases = leases
        self._remembered: tuple[str, ByConsumer] = ("", {})

    def create(self, consumer_id: str) -> str:
        """A new secret in Standard Webhooks' form; the one before goes on signing too."""
        made = "whsec_" + base64.b64encode(randomness.token_bytes(32)).decode()

        def add(all: ByConsumer) -> ByConsumer:
            return all | {consumer_id: [made, *all.get(consumer_id, [])][:MOST_PER_CONSUMER]}

        self._change(add)
        return made

    def of(self, consumer_id: str) -> list[str]:
        return list(self._at(self._leases.look(NAME)).get(consumer_id, []))

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
            version = self._secrets.write(NAME, json.dumps(after))
            try:
                self._leases.publish(seen, version)
            except Lost:
                continue
            return
        raise Unavailable("Too many changes of webhook secrets at once", 1)

    def _at(self, seen: LeaseState) -> ByConsumer:
        version, all = self._remembered
        if version != seen.version:
            found = self._secrets.version(NAME, seen.version) if seen.version else None
            all = json.loads(found.text) if found else {}
            self._remembered = (seen.version, all)
        return all
