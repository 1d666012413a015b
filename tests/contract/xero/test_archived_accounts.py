"""An account that was archived at Xero is told apart from one that was deleted, whenever Xero refuses the statement."""

from __future__ import annotations

import pytest

from feedlane.feeds.upstream import Refusal, TenantAccess
from feedlane.problem import Problem
from feedlane.scope import Scope
from local.simulator.problems import problem
from tests.contract.xero.conftest import BAKERY, BOTH_VERSIONS, Xero
from tests.contract.xero.test_bank_feeds import connect, line, statement

pytestmark = BOTH_VERSIONS


def connected(xero: Xero) -> tuple[TenantAccess, str, bytes]:
    """Access, the Xero account's path at the simulator, and the request of a statement."""
    access = xero.access()
    feed = connect(xero, access)
    request = xero.feeds.request_bytes(access, statement(feed, line("t-1", "10.00", "10.00")))
    return access, f"orgs/{BAKERY}/accounts/{feed.account_id}", request


def test_an_archived_account_can_be_restored(xero: Xero) -> None:
    access, account, request = connected(xero)
    xero.control("PUT", account, {"archived": True})
    refused = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(refused, Refusal)
    assert (refused.scope, refused.reason, refused.problem.type) == (
        Scope.FEED, "account-archived", "account-not-valid",
    )  # fmt: skip


def test_a_deleted_account_is_said_to_be_deleted(xero: Xero) -> None:
    access, account, request = connected(xero)
    xero.control("DELETE", account)
    refused = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(refused, Refusal)
    assert refused.reason == "account-deleted"


@pytest.mark.parametrize("path", ["Accounts", "FeedConnections/*"])
def test_xeros_word_stays_if_it_does_not_tell_more_now(xero: Xero, path: str) -> None:
    access, account, request = connected(xero)
    xero.control("PUT", account, {"archived": True})
    xero.fault(path, fault="page", status=404, content="html", times=5)
    refused = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(refused, Refusal)
    assert refused.reason == "account-not-valid"


def test_a_rejection_that_comes_later_is_explained_too(xero: Xero) -> None:
    access, account, _ = connected(xero)
    [feed] = xero.feeds.feed_connections(access)
    xero.control("PUT", account, {"archived": True})
    later = xero.feeds.refusal_for_rejection(access, [Problem.model_validate(problem("account-not-valid"))])
    assert xero.feeds.explained(access, later, feed.id).reason == "account-archived"
    other = xero.feeds.refusal_for_rejection(access, [Problem.model_validate(problem("invalid-end-balance"))])
    assert xero.feeds.explained(access, other, feed.id) == other
