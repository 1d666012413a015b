"""A mapping that Xero refuses for a reason that another Xero account would not mend.

It is told like a refused statement: a hold, its event, an error of the connection. The mapping stays wanted, and is
tried again when the hold is released (`again.py`). What comes for the account through the queue waits behind the hold.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.companies.source_account import AccountMapping, SourceAccount, SourceAccountStatus
from feedlane.errors import ReconnectionNeeded, Refused
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Refusal, TenantAccess, Upstream
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds.hold import CONNECTION_ENDED_REASONS
from feedlane.ids import feed_id
from feedlane.mapping import items as mapping_items
from feedlane.mapping.ended import disconnected_event_writes
from feedlane.ports import Ports
from feedlane.scope import Scope, hold_subjects
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Contended

REASON_DISCONNECTED = "source-account-disconnected"
REASON_REJECTED = "feed-connection-rejected"
# The holds of a feed that a new feed connection releases.
REASONS_LIFTED_BY_MAPPING = frozenset(
    {*CONNECTION_ENDED_REASONS, REASON_DISCONNECTED, REASON_REJECTED, "account-archived", "account-deleted"}
)
# The release of the hold has the mapping tried again. This is for a lost message only.
LOOK_INTERVAL = timedelta(hours=1)


def refusal_in(upstream: Upstream, access: TenantAccess, error: Refused | ReconnectionNeeded) -> Refusal | None:
    """What has to stop because of it; None if it is about the Xero account alone, and another may be chosen."""
    if isinstance(error, ReconnectionNeeded):
        return Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=error.problem)
    refusal = upstream.refusal_for_rejection(access, [error.problem])
    return refusal if is_for_all(refusal) else None


def is_for_all(refusal: Refusal) -> bool:
    """A 403 refuses the caller and not the input, also where it stops this feed alone."""
    return refusal.scope is not Scope.FEED or refusal.problem.status in {401, 403}


def record_refused(
    ports: Ports,
    refusal: Refusal,
    connection: Connection,
    account: SourceAccount,
    wanted: AccountMapping,
    now: datetime,
    ending: str = "",
) -> None:
    """Holds what the refusal stops, and keeps the mapping that is wanted. `account` is as in the table.

    Raises `ConditionFailed` if the account has changed: then somebody has decided anew.
    """
    company = company_items.company(ports.store, account.company_id)
    status = SourceAccountStatus.DISCONNECTED if account.mapping is not None else account.status
    changes = {"status": status, "mapping": None, "wanted": wanted, "problem": refusal.problem}
    refused = account.but(**changes, modified=now, look=now + LOOK_INTERVAL)
    was_fed = [] if account.mapping is None else disconnected_event_writes(ports, account, refused, company, now)
    claims = mapping_items.claim_removals(connection, account)
    # A hold of the connection is written with the connection itself.
    access = [] if refusal.scope is Scope.CONNECTION else [company_items.same_access(connection)]
    for attempt in attempts(f"feed {feed_id(account.connection_id, account.id)}"):
        feed, feed_write = mapping_items.awaiting_feed(ports.store, now, connection, account, wanted, ending)
        with attempt:
            try:
                hold = placement.hold_feed(
                    ports, feed, refusal, company, now,
                    *company_items.change_source_account(account, refused), feed_write, *access, *claims, *was_fed,
                    by_mapping=True, replaces=REASONS_LIFTED_BY_MAPPING,
                )  # fmt: skip
            except ConditionFailed as failed:
                account_key = keys.source_account(account.connection_id, account.id)
                if {account_key, *(one.key for one in access)} & set(failed.keys) and not isinstance(failed, Contended):
                    raise AccountChanged from failed
                raise
    placement.fail_waiting(ports, feed, hold, company, now)


class AccountChanged(Exception):
    """Somebody else has mapped or disconnected the account meanwhile."""


def is_stopped(store: Store, account: SourceAccount, feed: Feed | None) -> bool:
    """Whether a hold forbids to try the mapping again. One that only a mapping lifts does not."""
    id = feed_id(account.connection_id, account.id)
    subjects = feed.hold_subjects if feed is not None else hold_subjects(id, account.connection_id, None)
    return any(
        hold.by_mapping or hold.reason not in REASONS_LIFTED_BY_MAPPING for hold in hold_items.holds_on(store, subjects)
    )
