"""Codat's API key in a function's memory, and the question whether Codat accepts one."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx

from feedlane.clock import Clock, system_clock
from feedlane.codat_upstream.answers import envelope_in
from feedlane.codat_upstream.client import CodatClient
from feedlane.credentials.vault import Vault
from feedlane.errors import NotSent, Unanswered
from feedlane.ids import fingerprint

# A key that an operator has dropped is used no longer than this.
KEPT_FOR = timedelta(minutes=5)
CHECK_READ_SECONDS = 8.0


class KeyCache:
    """One for the whole function: the vault is called once in a while and not once per call."""

    def __init__(self, vault: Vault, clock: Clock = system_clock) -> None:
        self._vault = vault
        self._clock = clock
        self._kept: tuple[str, datetime] | None = None

    def key(self, rejected: str | None = None) -> str:
        """The key to call with; another than the one that Codat has just `rejected`, if there is one.

        Raises `AppKeysRejected` if there is none at all, `Unavailable`.
        """
        now = self._clock()
        if self._kept is not None and self._kept[0] != rejected and now < self._kept[1]:
            return self._kept[0]
        key = self._vault.codat_key(None if rejected is None else fingerprint(rejected)).value
        self._kept = (key, now + KEPT_FOR)
        return key


def is_accepted(base_url: str, key: str, transport: httpx.BaseTransport | None = None) -> bool | None:
    """Whether Codat accepts the key; None if Codat does not say, as during an outage."""
    client = CodatClient(base_url, lambda _: key, read_seconds=CHECK_READ_SECONDS, transport=transport)
    try:
        answer = client.call("", "GET", "/companies", params={"page": "1", "pageSize": "1"})
    except (NotSent, Unanswered):
        return None
    finally:
        client.close()
    if answer.is_success:
        return True
    # A page says nothing. Codat says 401 to a wrong key and 403 to an outdated one. Any other refusal, such as of a
    # plan, comes after the key was recognised.
    is_codats = answer.is_client_error and answer.status_code != 429 and envelope_in(answer) is not None
    return answer.status_code not in (401, 403) if is_codats else None
