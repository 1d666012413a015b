"""The Xero accounts that a source account can feed, and those that are fed already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from feedlane.companies.source_account import SourceAccount
from feedlane.errors import Refused
from feedlane.feeds.upstream import TargetAccount, TenantAccess, Upstream
from feedlane.ids import account_token, feed_id
from feedlane.mapping import creation
from feedlane.mapping import items as mapping_items
from feedlane.ports import Ports


class Fed(NamedTuple):
    """The id of the feed of each Xero account that we feed, and the accounts that others feed through our app."""

    ours: dict[str, str]
    others: frozenset[str]


def target_options(targets: Iterable[TargetAccount], account: SourceAccount, fed: Fed) -> list[TargetAccount]:
    """The Xero accounts that this account can feed: of its kind and currency, and not fed by another."""
    id = feed_id(account.connection_id, account.id)
    return [
        target
        for target in targets
        if target.kind is account.kind and target.currency == account.currency
        if fed.ours.get(target.id, id) == id and target.id not in fed.others
    ]


def fed_targets(ports: Ports, upstream: Upstream, access: TenantAccess, accounts: Iterable[SourceAccount]) -> Fed:
    """The organisation's accounts that are fed: by which feed of ours, and those that others feed through the app."""
    tokens = {account_token(account.connection_id, account.id) for account in accounts}
    ours = mapping_items.fed_accounts(ports.store, access.tenant_id)
    try:
        others = creation.fed_by_others(upstream.feed_connections(access), tokens)
    except Refused:
        return Fed(ours, frozenset())  # mapping is refused too, and says why
    return Fed(ours, others - set(ours))
