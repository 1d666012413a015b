"""The choice of an organisation, after a consent that covers several."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies.organisations import Organisation
from feedlane.record import Record


class OrganisationChoice(Record):
    """What the consent granted, and the organisations to choose from."""

    token_set_id: str
    authentication_event_id: str
    scopes: tuple[str, ...]
    access_ends: datetime | None = None
    organisations: tuple[Organisation, ...]
