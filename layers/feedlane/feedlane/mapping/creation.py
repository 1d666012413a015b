"""Makes an account's feed connection at Xero, or finds the one that a crash left behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from feedlane.companies import items as company_items
from feedlane.companies.bank_codes import number_at_xero
from feedlane.companies.connection import UpstreamName
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import Invalid
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection, TenantAccess, Upstream
from feedlane.ids import account_token
from feedlane.store.store import Store


@dataclass(frozen=True)
class Known:
    """What we know of the organisation's feed connections: our tokens, and those that Xero was asked to delete.

    Not those of Codat's: there the next one of the same account has the same id.
    """

    tokens: frozenset[str]
    endings: frozenset[str]


def known_feed_connections(store: Store, connection_id: str, feed: Feed | None) -> Known:
    """`feed` is that of the account to be mapped: an account that was deleted and created again has one too."""
    feeds = feed_items.feeds_of_connection(store, connection_id)
    ids = [account.id for account in company_items.source_accounts(store, connection_id)]
    known = [one for one in (*feeds, feed) if one is not None and one.upstream is UpstreamName.XERO]
    endings = {one.ending for one in known if one.ending}
    return Known(frozenset(account_token(connection_id, id) for id in ids), frozenset(endings))


def adopt_or_create(
    upstream: Upstream,
    access: TenantAccess,
    account: SourceAccount,
    target_account_id: str | None,
    country: str,
    known: Known,
    organisation_country: str,
) -> FeedConnection | None:
    """The feed connection with our token: the one that a crash left behind, or a new one.

    None while Xero still has an earlier one that must not be used: it was asked to delete it, or it is one of another
    account. A deletion takes effect a little later, and until then Xero lists it and makes no second one.
    """
    token = account_token(account.connection_id, account.id)
    listed = upstream.feed_connections(access)
    for existing in listed:
        if existing.account_token == token:
            is_other = target_account_id is not None and existing.account_id not in (None, target_account_id)
            if not is_other and existing.id not in known.endings:
                return existing
            upstream.delete_feed_connection(access, existing.id)
            return None
    for existing in listed:
        if target_account_id is not None and existing.account_id == target_account_id:
            if existing.id not in known.endings:
                raise _already_fed(existing.account_token in known.tokens)
            return None
    new = NewFeedConnection(
        account_token=token,
        account_id=target_account_id,
        account_number=number_at_xero(account, organisation_country),
        account_name=account.account_name,
        kind=account.kind,
        currency=account.currency,
        country=country,
        source=account,
    )
    created = upstream.create_feed_connection(access, new)
    # Xero may not list one any more, and still say that the account is connected: the adapter finds it then.
    return None if created.id in known.endings else created


def fed_by_others(listed: Iterable[FeedConnection], tokens: Collection[str]) -> frozenset[str]:
    """The Xero accounts that this Xero app feeds under tokens that are not ours, as another platform's would be."""
    return frozenset(
        connection.account_id
        for connection in listed
        if connection.account_id and connection.account_token not in tokens
    )


def _already_fed(by_us: bool) -> Invalid:
    message = "The Xero account is already fed by another source account." if by_us else FED_BY_OTHERS
    return Invalid.field("targetAccountId", message, "AlreadyConnected")


FED_BY_OTHERS = (
    "The Xero account is already fed through this Xero app, but not from here: by the platform used before, for "
    "example. End that feed first, there or in Xero (bank account, Manage account, Deactivate feed), then map again."
)
