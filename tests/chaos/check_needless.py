"""11. Nothing stops without need: each hold, and each request to come again, has an upstream's refusal for its cause.

The refusals are the simulator's own answers. What a page or a 401 says is no cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from feedlane.events import event as event_types
from feedlane.events.event import Event
from feedlane.ids import account_token
from feedlane.scope import Scope
from tests.chaos.refusals import Refusal
from tests.chaos.world import World

ANYONE = "anyone"
# Not Xero's: a setting asks for a hold at a refused push.
OWN_REASONS = frozenset({"push-refused"})


class Refusals:
    """What the simulator has refused so far, by type and subject.

    `committed` is when each event was: its own time is that of what began to find it out.
    """

    def __init__(self, all_refusals: Iterable[Refusal], committed: dict[str, datetime]) -> None:
        self._committed = committed
        self._times: defaultdict[tuple[str, str], list[Refusal]] = defaultdict(list)
        for refusal in all_refusals:
            self._times[refusal.type, refusal.subject].append(refusal)
            self._times[refusal.type, ANYONE].append(refusal)

    def has(self, type: str, subject: str, before: Event) -> bool:
        return any(refusal.at <= self._committed[before.id] for refusal in self._times[type, subject])


def needless(world: World) -> list[str]:
    items = [item for item in world.table.inserted if item["pk"].startswith("EVENT#")]
    events = list(map(Event.model_validate, items))
    times = [world.table.inserted_at[item["pk"], item["sk"]] for item in items]
    known = Refusals(world.books.refusals, {event.id: time for event, time in zip(events, times, strict=True)})
    violations = []
    for event in events:
        if event.type == event_types.HELD:
            violations += _needless_hold(world, known, event)
        elif event.type in (event_types.CONNECTION_NEEDS_RECONNECTION, event_types.CONNECTION_DISCONNECTED):
            violations += _needless_request(world, known, event)
        elif event.type == event_types.SOURCE_ACCOUNT_DISCONNECTED:
            violations += _needless_end(world, known, event)
    return violations[:3]


def _needless_hold(world: World, known: Refusals, event: Event) -> list[str]:
    reason, scope = event.payload["reason"], event.payload["scope"]
    if scope == Scope.CONNECTION:
        return _needless_request(world, known, event)
    if reason == "source-account-disconnected":
        return _needless_end(world, known, event)
    subject = {Scope.APP: ANYONE, Scope.TENANT: event.subject}.get(scope) or _token(world, event)
    if reason in OWN_REASONS or any(known.has(type, subject, event) for type in world.books.reasons.get(reason, ())):
        return []
    return [f"needless: a hold of {event.subject} for {reason}, and Xero had not refused anything for that"]


def _needless_request(world: World, known: Refusals, event: Event) -> list[str]:
    """A connection asked for its customer, or shown as ended: the grant or the connection has ended at Xero."""
    if event.company_id in world.deleted_companies:
        return []
    connection_id = event.payload.get("connectionId") or event.subject
    for place in world.places:
        ended = any(known.has(*cause, event) for cause in world.books.ended(place))
        if place.connection_id == connection_id and ended:
            return []
    return [f"needless: {event.type} of {connection_id}, and its grant and connection were in order at Xero"]


def _needless_end(world: World, known: Refusals, event: Event) -> list[str]:
    """An account shown as disconnected: somebody has done that here, or Xero has ended or refused its feed."""
    if event.company_id in world.deleted_companies or event.subject in world.disconnected_here:
        return []
    types = {type for types in world.books.reasons.values() for type in types}
    if any(known.has(type, _token(world, event), event) for type in types):
        return []
    return [f"needless: {event.subject} is shown as disconnected, and Xero had not ended or refused its feed"]


def _token(world: World, event: Event) -> str:
    """The account token of the event's feed at Xero."""
    place = next(place for place in world.places if place.feed_id == event.subject)
    return account_token(place.connection_id, place.account_id)
