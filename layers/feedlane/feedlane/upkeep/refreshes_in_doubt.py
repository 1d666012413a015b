"""Refreshes whose end nobody knows: the vault has died on the way, or Xero's answers were lost.

Xero may have rotated the refresh token, and honours the old one for 30 minutes only. Whoever asked asks again, as a
rule, and that settles it; where nobody does, the watch asks in time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.credentials import refreshes
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.record import Record
from feedlane.store.store import Store

# Longer than a lease: nobody is at it any more. Three runs of the watch come within the 30 minutes.
IN_DOUBT_AFTER = timedelta(minutes=2)
PAGE_SIZE = 50
# The vault or Xero is out of reach, and not one customer's token set.
UNANSWERED_MAX = 3


class Resolved(Record):
    """How many refreshes were settled, and how many token sets turned out to have ended."""

    settled: int = 0
    ended: int = 0


def resolve(store: Store, vault: Vault, now: datetime) -> Resolved:
    """May be done at any time, and by several at once: the vault refreshes once. What is left is the next run's."""
    settled = ended = unanswered = 0
    for id in refreshes.in_doubt_since(store, now - IN_DOUBT_AFTER, PAGE_SIZE):
        try:
            settled += _resolve_one(store, vault, id)
        except ReconnectionNeeded:
            ended += 1  # the vault has let go of it; who depends on it learns so when it asks
        except AppKeysRejected:
            break
        except Unavailable:
            unanswered += 1
            if unanswered == UNANSWERED_MAX:
                break
    return Resolved(settled=settled, ended=ended)


def _resolve_one(store: Store, vault: Vault, token_set_id: str) -> bool:
    """The access token that is there may work still, while the refresh token beside it is rotated already."""
    token = vault.access_token(token_set_id)
    if refreshes.is_in_doubt(store, token_set_id):
        vault.access_token(token_set_id, rejected=fingerprint(token.value))
    return not refreshes.is_in_doubt(store, token_set_id)
