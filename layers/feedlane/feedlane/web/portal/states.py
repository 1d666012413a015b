"""The state of things in one word for people: always the worst fact, so that nothing held or ended looks healthy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.feeds.feed import Feed


class Tone(StrEnum):
    """The colours of a pill."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    PLAIN = ""


@dataclass(frozen=True)
class State:
    """`name` is how a list's filter calls it."""

    name: str
    words: str
    tone: Tone


HELD = State("held", "held", Tone.BAD)
NEEDS_RECONNECTION = State("needs-reconnection", "needs reconnection", Tone.BAD)
ENDED_AT_XERO = State("ended-at-xero", "ended at Xero", Tone.BAD)
ENDED_AT_CODAT = State("ended-at-codat", "ended at Codat", Tone.BAD)
IN_DOUBT = State("in-doubt", "statement in doubt", Tone.BAD)
ENDED = State("ended", "ended by you", Tone.WARN)
WAITING_FOR_CUSTOMER = State("waiting", "waiting for the customer", Tone.WARN)
UPSTREAM_CHANGES = State("changing", "upstream is changing", Tone.WARN)
NO_ACCOUNT = State("no-account", "no account connected", Tone.WARN)
REFUSED = State("refused", "refused by Xero", Tone.BAD)
# The same for a filter, which finds both.
REFUSED_BY_CODAT = State("refused", "refused by Codat", Tone.BAD)
_REFUSED_BY_EITHER = State("refused", "refused", Tone.BAD)
CONNECTING = State("connecting", "connecting", Tone.WARN)
NOT_CONNECTED = State("not-connected", "not connected", Tone.PLAIN)
DISCONNECTED = State("disconnected", "disconnected", Tone.PLAIN)
CONNECTED = State("connected", "connected", Tone.GOOD)
# The same for a filter: it only says more.
CONNECTED_THROUGH_CODAT = State("connected", "connected through Codat", Tone.GOOD)
# What becomes of what a release sends.
BEING_SENT = State("being-sent", "being sent", Tone.WARN)
DELIVERED = State("delivered", "delivered", Tone.GOOD)
REFUSED_AGAIN = State("refused-again", "refused again", Tone.BAD)
NOT_DELIVERED = State("not-delivered", "not delivered", Tone.BAD)
RELEASED = State("released", "released", Tone.PLAIN)
# Of several, the first counts.
_WORST_FIRST = (
    HELD, IN_DOUBT, NEEDS_RECONNECTION, ENDED_AT_XERO, ENDED_AT_CODAT, REFUSED, REFUSED_BY_CODAT, ENDED,
    UPSTREAM_CHANGES, WAITING_FOR_CUSTOMER, NO_ACCOUNT, CONNECTING, DISCONNECTED, NOT_CONNECTED, CONNECTED,
    CONNECTED_THROUGH_CODAT,
)  # fmt: skip
COMPANY_STATES = (
    HELD, NEEDS_RECONNECTION, ENDED_AT_XERO, ENDED_AT_CODAT, ENDED, UPSTREAM_CHANGES, WAITING_FOR_CUSTOMER, NO_ACCOUNT,
    NOT_CONNECTED, CONNECTED,
)  # fmt: skip
FEED_STATES = (
    HELD, IN_DOUBT, NEEDS_RECONNECTION, ENDED_AT_XERO, ENDED_AT_CODAT, _REFUSED_BY_EITHER, ENDED, UPSTREAM_CHANGES,
    CONNECTING, DISCONNECTED, NOT_CONNECTED, CONNECTED,
)  # fmt: skip
# Filters of feeds that no pill shows: one can be connected, and lack transactions.
WITH_GAP = State("gap", "with a gap", Tone.WARN)
WITH_HOLE = State("hole", "with a refused push missing", Tone.WARN)
# What they are of a connection, its feeds are too.
_STOPS_FEEDS = (NEEDS_RECONNECTION, ENDED_AT_XERO, ENDED_AT_CODAT, ENDED, UPSTREAM_CHANGES)
_CONNECTION_STATES = {
    ConnectionStatus.PENDING_AUTH: WAITING_FOR_CUSTOMER,
    ConnectionStatus.LINKED: CONNECTED,
    ConnectionStatus.UNLINKED: ENDED,
    ConnectionStatus.DEAUTHORIZED: ENDED_AT_XERO,
}
# Of those that go through Codat, where it is another.
_STATES_AT_CODAT = _CONNECTION_STATES | {
    ConnectionStatus.LINKED: CONNECTED_THROUGH_CODAT,
    ConnectionStatus.DEAUTHORIZED: ENDED_AT_CODAT,
}
_ACCOUNT_STATES = {
    SourceAccountStatus.PENDING: NOT_CONNECTED,
    SourceAccountStatus.CONNECTING: CONNECTING,
    SourceAccountStatus.CONNECTED: CONNECTED,
    SourceAccountStatus.DISCONNECTED: DISCONNECTED,
}


def worst(states: Iterable[State]) -> State:
    """The worst of them; not connected if there are none."""
    return min(states, key=_WORST_FIRST.index, default=NOT_CONNECTED)


def connection_state(connection: Connection, is_held: bool, connected: int) -> State:
    """`is_held`: whether a hold stops it, or one of its feeds. `connected` is how many of its accounts are."""
    states = [(_CONNECTION_STATES if connection.is_direct else _STATES_AT_CODAT)[connection.status]]
    if is_held:
        states.append(HELD)
    if connection.is_stopping:
        states.append(UPSTREAM_CHANGES)
    if connection.is_linked and connection.needs_reconnection:
        states.append(NEEDS_RECONNECTION)
    if connection.is_linked and not connected:
        states.append(NO_ACCOUNT)
    return worst(states)


def feed_state(
    account: SourceAccount, feed: Feed | None, connection: Connection | None, is_held: bool, is_in_doubt: bool = False
) -> State:
    """`is_held`: whether a hold stops it, its connection, its organisation or the app."""
    states = [_ACCOUNT_STATES[account.status]]
    if is_held and feed is not None:
        states.append(HELD)
    if is_in_doubt:
        states.append(IN_DOUBT)
    if account.problem is not None and not account.is_connected:
        states.append(REFUSED_BY_CODAT if account.problem.is_codats else REFUSED)
    if connection is not None and account.mapping is not None:
        states += [state for state in (connection_state(connection, False, 1),) if state in _STOPS_FEEDS]
    return worst(states)
