"""Refreshes in doubt, whose outcome is unknown: the vault crashed during one, or Xero's answers were lost.

Xero may have rotated the refresh token, and honours the old one for only 30 minutes. Usually the caller retries, which
resolves the doubt; otherwise the watch does so in time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from feedlane.credentials import refreshes
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.record import Record
from feedlane.store.store import Store

# Longer than a lease, so that the refresh is no longer in progress. Three runs of the watch fit into the 30 minutes.
IN_DOUBT_AFTER = timedelta(minutes=2)
PAGE_SIZE = 50
# After these, the vault or Xero is unreachable, not one customer's token set.
UNANSWERED_MAX = 3
# One may take two calls of the vault, and the watch's looks, which come after, need time too.
TIME_LEFT_MIN = timedelta(seconds=150)


class Resolved(Record):
    """How many refreshes are no longer in doubt, and how many token sets turned out to have ended."""

    resolved: int = 0
    ended: int = 0


def resolve(
    store: Store, vault: Vault, now: datetime, time_left: Callable[[], timedelta] = lambda: timedelta(minutes=5)
) -> Resolved:
    """Repeats refreshes in doubt. Concurrent runs are safe: the vault refreshes once. The next run does the rest."""
    resolved = ended = unanswered = 0
    for token_set_id in refreshes.in_doubt_since(store, now - IN_DOUBT_AFTER, PAGE_SIZE):
        if time_left() < TIME_LEFT_MIN:
            break
        try:
            resolved += _resolve_one(store, vault, token_set_id)
        except ReconnectionNeeded:
            ended += 1  # the vault no longer lists it; its users learn of the end when they ask for a token
        except AppKeysRejected:
            break
        except Unavailable:
            unanswered += 1
            if unanswered == UNANSWERED_MAX:
                break
    return Resolved(resolved=resolved, ended=ended)


def _resolve_one(store: Store, vault: Vault, token_set_id: str) -> bool:
    """Whether it is resolved. The stored access token may still work although its refresh token was rotated."""
    token = vault.access_token(token_set_id)
    if refreshes.is_in_doubt(store, token_set_id):
        vault.access_token(token_set_id, rejected=fingerprint(token.value))
    return not refreshes.is_in_doubt(store, token_set_id)
