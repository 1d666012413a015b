"""A consent that brought several organisations: the customer still has to choose one."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies.organisations import Organisation
from feedlane.record import Record


class OrganisationChoice(Record):
    """A consent that brought several organisations: which of them is meant is still to be said."""

    token_set_id: str
    authentication_event_id: str
    scopes: tuple[str, ...]
    access_ends: datetime | None = None
    organisations: tuple[Organisation, ...]
