"""One-time passwords of link URLs: without one nobody can start Link, and with one only once."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.ids import fingerprint
from feedlane.record import Record

LASTS = timedelta(days=1)


class LinkPassword(Record):
    """Only its fingerprint is kept. Without a connection it opens the company's link, and all its connections'."""

    fingerprint: str
    company_id: str
    connection_id: str = ""
    expires: datetime
    spent: bool = False

    def opens(self, company_id: str, connection_id: str, now: datetime) -> bool:
        """`connection_id` is empty for the company's own link."""
        if self.spent or now >= self.expires or self.company_id != company_id:
            return False
        return self.connection_id in ("", connection_id)


def issued(clear: str, company_id: str, connection_id: str, now: datetime) -> LinkPassword:
    return LinkPassword(
        fingerprint=fingerprint(clear), company_id=company_id, connection_id=connection_id, expires=now + LASTS
    )
