"""A feed connection that Xero rejects while setting it up: found with the problem, and can be created again."""

from __future__ import annotations

from feedlane.companies.source_account import AccountKind
from feedlane.feeds.upstream import NewFeedConnection
from local.simulator.problems import problem
from local.simulator.server import RunningSimulator
from tests.contract.xero.conftest import Xero


def test_a_later_rejection_is_found_with_its_problem_and_a_new_one_can_be_made(
    xero: Xero, running: RunningSimulator
) -> None:
    access = xero.access()
    account = next(account for account in xero.feeds.target_accounts(access) if account.kind is AccountKind.BANK)
    new = NewFeedConnection(
        account_token="token-1", account_id=account.id, account_number=account.number, account_name=account.name,
        kind=account.kind, currency=account.currency,
    )  # fmt: skip
    created = xero.feeds.create_feed_connection(access, new)
    running.state.feed_connections[created.id].rejected = problem("feed-connected-in-different-organisation")
    pending = xero.feeds.feed_connection(access, created.id)
    assert pending is not None
    assert (pending.active, pending.rejection) == (False, None)

    xero.advance(2)
    rejected = xero.feeds.feed_connection(access, created.id)
    assert rejected is not None
    assert (rejected.id, rejected.active) == (created.id, False)
    assert rejected.rejection is not None
    assert rejected.rejection.type == "feed-connected-in-different-organisation"
    assert xero.feeds.feed_connections(access) == []

    again = xero.feeds.create_feed_connection(access, new)
    xero.advance(2)
    active = xero.feeds.feed_connection(access, again.id)
    assert active is not None
    assert active.active
