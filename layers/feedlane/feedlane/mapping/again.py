"""Makes the feed connection that an account still waits for: Xero refused it, or was deleting the one before."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.reconnection import CONNECTION_REMOVED, RECONNECTION_NEEDED
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import FeedlaneError, Invalid, ReconnectionNeeded, Refused
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Refusal, TenantAccess, Upstream
from feedlane.holds import placement
from feedlane.mapping import mapping, refused, unmapping
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.store.store import Store


def try_again(ports: Ports, upstream: Upstream, now: datetime, feed: Feed) -> bool:
    """Tries the mapping again that the feed's account waits for. False if it is to be tried once more in a while.

    May be repeated. Raises `Unavailable`, `AppKeysRejected`.
    """
    account = company_items.find_source_account(ports.store, feed.connection_id, feed.account_id)
    connection = company_items.find_connection(ports.store, feed.company_id, feed.connection_id)
    if account is None or connection is None:
        return True
    if connection.change is not None:
        return True  # what waits is sent once the account is mapped at the next upstream
    if not connection.is_linked:
        hold_waiting(ports, now, feed)
        return True  # a reconnection tries again
    if refused.is_stopped(ports.store, account, feed):
        return True  # its release tries again
    if account.status is SourceAccountStatus.CONNECTING and account.mapping is not None:
        wanted = account.mapping
    elif account.wanted is not None:
        wanted = account.wanted
    else:
        return True
    try:
        made = mapping.make_connection(ports, upstream, now, connection, account, wanted)
        if made is None and account.wanted is None:
            return False
        mapping.record_mapped(ports, now, connection, account, wanted, made)
    except (Refused, ReconnectionNeeded, Invalid) as error:
        _record_failure(ports, upstream, now, connection, account, error)
    except refused.AccountChanged:
        return True
    return True


def is_unlinked(store: Store, feed: Feed) -> bool:
    """Whether somebody has disconnected its connection here. Xero may take its statements all the same: another one of
    the company may be linked to the same organisation, which keeps the access."""
    connection = company_items.find_connection(store, feed.company_id, feed.connection_id)
    return connection is not None and connection.status is ConnectionStatus.UNLINKED


def hold_waiting(ports: Ports, now: datetime, feed: Feed) -> None:
    """Holds what waits of a connection that is not linked, as if Xero had refused it."""
    if not feed.waiting:
        return
    company = company_items.company(ports.store, feed.company_id)
    refusal = Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=CONNECTION_REMOVED)
    hold = placement.hold_feed(ports, feed, refusal, company, now, feed_items.feed_unchanged(feed))
    placement.fail_waiting(ports, feed, hold, company, now)


def _record_failure(
    ports: Ports,
    upstream: Upstream,
    now: datetime,
    connection: Connection,
    account: SourceAccount,
    error: Refused | ReconnectionNeeded | Invalid,
) -> None:
    """Nobody waits for an answer: what is about this mapping alone is shown with the account."""
    if isinstance(error, Invalid):
        problem = Problem(type="mapping-not-possible", title="Mapping not possible", status=400, detail=_words(error))
    elif refused.refusal_in(upstream, _access(connection), error) is not None:
        return  # recorded when it came
    else:
        problem = error.problem
    unmapping.end_wanted(ports, now, connection, account, problem)


def _access(connection: Connection) -> TenantAccess:
    tenant_id = connection.tenant.id if connection.tenant else ""
    return TenantAccess(tenant_id=tenant_id, token_set_id=connection.token_set_id or "")


def _words(error: FeedlaneError) -> str:
    return error.findings[0].message if isinstance(error, Invalid) and error.findings else str(error)
