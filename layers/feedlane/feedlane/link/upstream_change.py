"""Changing a connection's upstream in place: its id, its accounts, its feeds and their ledgers stay.

Nothing may be in flight when the access changes: what one upstream may have, the other must never be sent. So the
change goes through states, each written down before its work begins, and whoever comes on continues there:

1. `stopping`: the feeds send nothing new, and what is in flight is followed to its end. Until here it can be cancelled.
2. `ending`: the feed connections end, then the former access.
3. `awaitingConsent`: the customer links the connection at the next upstream, and the accounts are mapped there.

What is pushed meanwhile waits in the ledgers. Each feed's head says from which line on it has which upstream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies import places
from feedlane.companies.connection import ChangeState, Connection, ConnectionStatus, UpstreamChange, UpstreamName
from feedlane.errors import AppKeysRejected, Conflict, Invalid, NotFound, Unavailable
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.feeds.upstream import Upstream
from feedlane.follow_ups import UpstreamChangeCheck
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.link import connections
from feedlane.link.connections import Disconnect
from feedlane.mapping import upstream_ended
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Write

# Whether the feed's statement is in doubt: nobody knows whether the upstream has it.
HasDoubt = Callable[[Feed], bool]
FEEDS_NAMED_MAX = 10
_CHANGING = "The connection is changing right now; try again."
_ENDING = "The former access is being ended; change back once the connection waits for its customer."


def change(
    ports: Ports,
    upstream: Upstream,
    disconnect: Disconnect,
    has_doubt: HasDoubt,
    now: datetime,
    company_id: str,
    connection_id: str,
    to: UpstreamName,
) -> Connection:
    """Begins the change, and takes it as far as it goes now; it goes on by itself. Answers the connection.

    A repeat goes on, and the upstream that the connection has already changes nothing: while the feeds are still being
    stopped, naming it cancels the change. Raises `Conflict` while a statement is in doubt (with its feeds), or if the
    next upstream is not set up; `Invalid` (moved), `NotFound`.
    """
    if not _begin(ports, has_doubt, now, company_id, connection_id, to):
        return company_items.connection(ports.store, company_id, connection_id)
    with suppress(Unavailable, AppKeysRejected, Conflict, ConditionFailed):
        # It is written down by now: what fails here is done by the check.
        advance(ports, upstream, disconnect, now, company_id, connection_id)
    return company_items.connection(ports.store, company_id, connection_id)


def check(
    ports: Ports, upstream: Upstream, disconnect: Disconnect, now: datetime, message: UpstreamChangeCheck
) -> None:
    """Takes a change that is under way on. May run twice. Raises `Unavailable`, `ConditionFailed`."""
    if company_items.find_connection(ports.store, message.company_id, message.connection_id) is not None:
        advance(ports, upstream, disconnect, now, message.company_id, message.connection_id)


def advance(
    ports: Ports, upstream: Upstream, disconnect: Disconnect, now: datetime, company_id: str, connection_id: str
) -> None:
    """Takes the change as far as it goes now. Does nothing if none is under way."""
    connection = company_items.connection(ports.store, company_id, connection_id)
    if connection.change is None:
        return
    match connection.change.state:
        case ChangeState.CANCELLING:
            _let_go(ports, connection)
        case ChangeState.STOPPING:
            if not _are_stopped(ports, connection):
                return  # the end of what is in flight wakes its feed, and that has us come again
            ending = connection.but(
                change=connection.change.but(state=ChangeState.ENDING), access=connection.access + 1
            )
            ports.store.commit(company_items.put_connection(ending))
            advance(ports, upstream, disconnect, now, company_id, connection_id)
        case ChangeState.ENDING:
            for account in company_items.source_accounts(ports.store, connection.id):
                upstream_ended.end_mapping(ports, upstream, now, connection, account, connection.change.to)
            _end(ports, disconnect, now, connection, connection.change)


def _begin(
    ports: Ports, has_doubt: HasDoubt, now: datetime, company_id: str, connection_id: str, to: UpstreamName
) -> bool:
    """Writes down what is to be done. False: nothing is."""
    message = UpstreamChangeCheck(company_id=company_id, connection_id=connection_id)
    for attempt in attempts(f"connection {connection_id}", otherwise=Conflict(_CHANGING)):
        connection = company_items.connection(ports.store, company_id, connection_id)
        if connection.moved_to is not None:
            raise Invalid("The connection has moved to another one: change that.")
        state = _next_state(connection, to)
        if state is None:
            return connection.is_stopping
        if state is not ChangeState.CANCELLING:
            _require_set_up(ports.store, to)
        if state is ChangeState.STOPPING:
            _require_no_doubt(_feeds(ports.store, connection), has_doubt)
        begun = connection.but(change=UpstreamChange(to=to, state=state, since=now), look=next_look(now))
        if state is not ChangeState.CANCELLING:
            # Whoever maps an account with the connection as it was before would start a feed that we do not stop.
            begun = begun.but(access=connection.access + 1)
        # In case we crash before it is done.
        ports.queues.follow_up(message, SAFETY_DELAY_SECONDS)
        with attempt:
            ports.store.commit(company_items.put_connection(begun), _event(ports, connection, begun, now))
    return True


def _next_state(connection: Connection, to: UpstreamName) -> ChangeState | None:
    """What is to begin; None if that is under way already, or nothing is to be done. Raises `Conflict`."""
    change = connection.change
    if change is None or change.state is ChangeState.AWAITING_CONSENT:
        if to is connection.upstream:
            return None
        # Before the first consent, or between two upstreams, nothing is in flight and nobody can map.
        is_open = connection.status is ConnectionStatus.PENDING_AUTH
        return ChangeState.ENDING if is_open else ChangeState.STOPPING
    if change.state is ChangeState.CANCELLING:
        if to is connection.upstream:
            return None
        raise Conflict(_CHANGING)
    if to is change.to:
        return None
    if change.state is ChangeState.ENDING:
        raise Conflict(_ENDING)
    return ChangeState.CANCELLING


def _require_set_up(store: Store, to: UpstreamName) -> None:
    settings = settings_items.settings(store)
    if to is UpstreamName.CODAT and not settings.codat.ending:
        raise Conflict("Codat's API key is not stored: without it, nobody can link the connection there.")
    if to is UpstreamName.XERO and not settings.has_keys:
        raise Conflict("The keys of the Xero app are not stored: without them, nobody can link the connection there.")


def _require_no_doubt(feeds: Sequence[Feed], has_doubt: HasDoubt) -> None:
    doubtful = [f"{feed.id} (statement {feed.flight.number})" for feed in feeds if feed.flight and has_doubt(feed)]
    if not doubtful:
        return
    more = f" and {len(doubtful) - FEEDS_NAMED_MAX} more" if len(doubtful) > FEEDS_NAMED_MAX else ""
    raise Conflict(
        "It is not known whether the present upstream has the last statement of these feeds, so that its lines might "
        f"go to the next one too: {', '.join(doubtful[:FEEDS_NAMED_MAX])}{more}. "
        "Wait until that is found out, or resolve it; then change the upstream."
    )


def _are_stopped(ports: Ports, connection: Connection) -> bool:
    """Stops the connection's feeds. Whether nothing of them is in flight any more."""
    feeds = [_set_changing(ports.store, connection, feed, True) for feed in _feeds(ports.store, connection)]
    for feed in feeds:
        if feed.flight is not None and feed.flight.status is FlightStatus.POSTING:
            ports.queues.wake(feed.id)  # perhaps it can be taken back
    return all(feed.flight is None for feed in feeds)


def _set_changing(store: Store, connection: Connection, feed: Feed, changing: bool) -> Feed:
    """Stops the feed, or lets it go. Once it is stopped, no statement is cut: whoever is about to cut one has read an
    earlier version.

    Only while the change is as it was read. Whoever is late would stop a feed for good after the change was cancelled,
    or let one go that the next change has stopped. Raises `ConditionFailed` then.
    """
    unchanged = company_items.connection_unchanged(connection)
    for number, attempt in enumerate(attempts(f"feed {feed.id}")):
        if number and not unchanged.when.is_met_by(store.table.get(unchanged.key)):
            raise ConditionFailed([unchanged.key])
        feed = feed_items.find_feed(store, feed.id) or feed
        is_fed = bool(feed.feed_connection_id) or feed.awaits_connection
        if feed.changing is changing or (changing and not is_fed):
            return feed
        feed = feed.but(changing=changing)
        with attempt:
            store.commit(feed_items.put_feed(feed), unchanged)
    return feed


def _let_go(ports: Ports, connection: Connection) -> None:
    for feed in _feeds(ports.store, connection):
        _set_changing(ports.store, connection, feed, False)
        ports.queues.wake(feed.id)
    ports.store.commit(company_items.put_connection(connection.but(change=None)))


def _end(ports: Ports, disconnect: Disconnect, now: datetime, connection: Connection, change: UpstreamChange) -> None:
    """Ends the former access, and leaves the connection to its customer."""
    _lift_hold_of_organisation(ports, now, connection)
    kept = _end_access(ports, disconnect, now, connection)
    ended = connection.with_faults_resolved(now).but(
        status=ConnectionStatus.PENDING_AUTH,
        upstream=change.to,
        change=change.but(state=ChangeState.AWAITING_CONSENT),
        tenant=None,
        former_tenant=connection.organisation if connection.is_direct else connection.former_tenant,
        token_set_id=None,
        scopes=(),
        access_ends=None,
        access=connection.access + 1,
        look=None,
    )
    ports.store.commit(
        company_items.put_connection(ended),
        _event(ports, connection, ended, now),
        *connections.unlink_writes(connection, now),
        *kept,
    )


def _end_access(ports: Ports, disconnect: Disconnect, now: datetime, connection: Connection) -> list[Write]:
    try:
        return connections.end_access(ports.store, disconnect, connection, now)
    except AppKeysRejected:
        # Who has lost the app has to be able to leave it: its place there is freed once there are keys again.
        return list(places.left_by(connection, now, look=now))


def _lift_hold_of_organisation(ports: Ports, now: datetime, connection: Connection) -> None:
    """A hold of the organisation is about the access that ends: the next one meets its own. Those of a feed stay: they
    are about its lines, or end with the mapping. That of the connection ends when the customer is back."""
    tenant = connection.tenant
    if tenant is None or set(connections.linked_connection_ids(ports.store, tenant.id)) - {connection.id}:
        return
    if hold := hold_items.find_hold(ports.store, Scope.TENANT, tenant.id):
        with suppress(NotFound):
            hold_release.release(ports, now, hold)


def _feeds(store: Store, connection: Connection) -> list[Feed]:
    """The connection's feeds, also of accounts that were removed: those may have a statement in flight too."""
    feeds = {feed.id: feed for feed in feed_items.feeds_of_connection(store, connection.id)}
    if connection.tenant is not None:
        listed = feed_items.feeds_of_tenant(store, connection.tenant.id)
        feeds |= {feed.id: feed for feed in listed if feed.connection_id == connection.id}
    return list(feeds.values())


def _event(ports: Ports, before: Connection, after: Connection, now: datetime) -> Write:
    company = company_items.company(ports.store, before.company_id)
    return put_event(company_events.connection_upstream_change(ports, before, after, company, now))
