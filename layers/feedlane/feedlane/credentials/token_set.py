"""A token set: what one Xero user granted to the app. Lives in Secrets Manager and the vault's memory only."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.record import Record

# A token is refreshed this long before it expires, so that it does not expire during a call.
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
    """What the vault gives to other functions: short-lived, never stored. Empty `scopes` means unknown."""

    value: str
    expires_at: datetime
    scopes: tuple[str, ...] = ()

    def is_fresh(self, now: datetime) -> bool:
        return now < self.expires_at - REFRESH_MARGIN / 3
