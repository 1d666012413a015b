"""A token set: what one Xero user granted to the app. Lives in Secrets Manager and the vault's memory only."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.record import Record

# Refreshed this long before it ends, so that a call made with it does not outlive it.
REFRESH_MARGIN = timedelta(minutes=3)


class TokenSet(Record):
    access_token: str
    expires_at: datetime
    refresh_token: str | None = None
    scopes: tuple[str, ...] = ()
    xero_user_id: str
    client_id: str
    authentication_event_id: str | None = None

    def is_fresh(self, now: datetime) -> bool:
        return now < self.expires_at - REFRESH_MARGIN


class AccessToken(Record):
    """What the vault gives to other functions: short-lived, and never stored by them. `scopes` empty: not known."""

    value: str
    expires_at: datetime
    scopes: tuple[str, ...] = ()

    def is_fresh(self, now: datetime) -> bool:
        return now < self.expires_at - REFRESH_MARGIN / 3
