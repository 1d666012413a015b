"""Why Xero does not take a statement for an account: it was archived, or deleted. Each has its own way out."""

from __future__ import annotations

from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.refusals import ACCOUNT_NOT_VALID
from feedlane.feeds.upstream import Refusal, TenantAccess
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.feed_connection_versions import FeedConnections

# A reason by the status of the account, which is empty if Xero lists it no more.
_REASONS = {"ARCHIVED": "account-archived", "": "account-deleted"}


def explained(
    api: XeroApi, feed_connections: FeedConnections, access: TenantAccess, refusal: Refusal, feed_connection_id: str
) -> Refusal:
    """Xero's word for both is `account-not-valid`. It stays if Xero does not tell more now."""
    if refusal.problem.type != ACCOUNT_NOT_VALID or not feed_connection_id:
        return refusal
    try:
        connection = feed_connections.find(access, feed_connection_id)
        if connection is None or not connection.account_id:
            return refusal
        status = Accounting(api).account_status(access, connection.account_id)
    except (Refused, ReconnectionNeeded, AppKeysRejected, Unavailable):
        return refusal
    return refusal.but(reason=_REASONS.get(status, refusal.reason))
