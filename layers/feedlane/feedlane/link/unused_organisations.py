"""What a consent has connected and no connection here uses: it is disconnected at Xero, and has a place until then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.companies import places
from feedlane.companies.organisations import Organisation, Organisations
from feedlane.companies.places import Place
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.link.choice import OrganisationChoice
from feedlane.link.connections import linked_connection_ids
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import Write

# In one commit, beside the others of a consent's end: nobody chooses between so many.
PLACES_MAX = 50


def remove(
    store: Store,
    organisations: Organisations,
    choice: OrganisationChoice,
    offered: Sequence[Organisation],
    now: datetime,
) -> None:
    """An unused organisation that stays connected at Xero would take a place under the app's limit."""
    unused = [one for one in offered if not linked_connection_ids(store, one.tenant_id)]
    if not unused:
        return
    try:
        organisations.remove(choice.token_set_id, choice.authentication_event_id, unused)
    except (Unavailable, Refused, ReconnectionNeeded, AppKeysRejected):
        # The watch removes them.
        writes: list[Write] = place_writes(store, choice, unused, now, next_look(now))
    else:
        writes = [places.free_place(one.tenant_id) for one in unused if places.find_place(store, one.tenant_id)]
    if writes:
        store.commit(*writes)


def place_writes(
    store: Store, choice: OrganisationChoice, offered: Sequence[Organisation], now: datetime, look: datetime
) -> list[Write]:
    """The writes that count what the consent has connected and nothing here uses, so that the watch ends it.

    None if Xero does not say what is of this consent: then nothing is ended.
    """
    if not choice.authentication_event_id:
        return []
    return [
        places.put_place(
            Place(
                tenant_id=one.tenant_id,
                xero_connection_id=one.xero_connection_id,
                token_set_id=choice.token_set_id,
                since=now,
                look=look,
            )
        )
        for one in offered[:PLACES_MAX]
        if not linked_connection_ids(store, one.tenant_id)
    ]
