"""Feed connections by either version of Xero's API: 2.0's half-done work, lost answers, a change of version."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import AccountKind, SourceAccountStatus
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection, TenantAccess
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.link import recovery
from feedlane.scope import Scope
from feedlane.settings.settings import Settings
from feedlane.xero.feed_connections import FEED_CONNECTIONS_PATH
from feedlane.xero.feed_connections_2 import FEED_CONNECTIONS_2_PATH
from tests.contract.xero.conftest import BAKERY, BOTH_VERSIONS, SCOPES, Xero
from tests.contract.xero.test_feed_connection_life import Life
from tests.hold_actions import lift

NEW_ACCOUNT, EXISTING = f"{FEED_CONNECTIONS_2_PATH}/NewAccount", f"{FEED_CONNECTIONS_2_PATH}/ExistingAccount"
DELETE_REQUESTS = f"{FEED_CONNECTIONS_2_PATH}/DeleteRequests"
WITH_2 = pytest.mark.parametrize("xero", [2], indirect=True)
VERSIONS_KNOW = pytest.mark.parametrize("position", ["shared", "apart"])
NEW = NewFeedConnection(
    account_token="token-1", account_number="777", account_name="Till", kind=AccountKind.BANK, currency="GBP"
)


def existing(xero: Xero, access: TenantAccess) -> NewFeedConnection:
    account = next(one for one in xero.feeds.target_accounts(access) if one.number == "20454555779911")
    return NEW.but(account_id=account.id, account_number=account.number, account_name=account.name)


def at_xero(xero: Xero) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = xero.control("GET", "feedConnections")["feedConnections"]
    return found


def accounts(xero: Xero) -> int:
    [bakery] = [one for one in xero.control("GET", "orgs")["orgs"] if one["tenantId"] == BAKERY]
    return len(bakery["accounts"])


def made(xero: Xero, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
    """As whoever maps does it: tries again after an outage, and looks into the list before."""
    for _ in range(3):
        for listed in xero.feeds.feed_connections(access):
            if listed.account_token == new.account_token:
                return listed
        with suppress(Unavailable):
            return xero.feeds.create_feed_connection(access, new)
    raise AssertionError("no feed connection after three attempts")


@BOTH_VERSIONS
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", ["dropResponse", "page", "internal-error"])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_lost_answer_makes_one_feed_and_one_account(xero: Xero, fault: str, when: str, is_new: bool) -> None:
    access = xero.access()
    new = NEW if is_new else existing(xero, access)
    before = accounts(xero)
    kinds: dict[str, dict[str, Any]] = {
        "page": {"fault": "page", "status": 403},
        "internal-error": {"fault": "problem", "problem": "internal-error"},
    }
    match = {"method": "POST", "path": "/FeedConnections*"}
    xero.control("POST", "faults", {"match": match, "when": when, **kinds.get(fault, {"fault": fault})})
    feed = made(xero, access, new)
    assert [one["id"] for one in at_xero(xero)] == [feed.id]
    assert accounts(xero) == before + is_new


@WITH_2
@pytest.mark.parametrize("position", ["prefixed", "renamed"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_made_in_part_is_found_or_completed_and_never_doubled(
    xero: Xero, position: str, when: str, is_new: bool
) -> None:
    xero.control("PUT", "behaviour", {"partialFailures": position})
    access = xero.access()
    new = NEW if is_new else existing(xero, access)
    before = accounts(xero)
    xero.fault(NEW_ACCOUNT if is_new else EXISTING, fault="partial", when=when)
    if when == "before":
        with pytest.raises(Unavailable):
            xero.feeds.create_feed_connection(access, new)
    feed = xero.feeds.create_feed_connection(access, new)  # at once, if anything of it is there
    [only] = at_xero(xero)
    found = xero.feeds.feed_connection(access, feed.id)
    assert found is not None
    assert (only["id"], found.active, found.account_token) == (feed.id, True, "token-1")
    assert accounts(xero) == before + is_new


@WITH_2
@pytest.mark.parametrize("fault", ["dropResponse", "partial", "page"])
def test_the_account_of_a_feed_that_could_not_be_made_is_used_by_the_next_attempt(xero: Xero, fault: str) -> None:
    access = xero.access()
    before = accounts(xero)
    xero.fault(NEW_ACCOUNT, fault="partial", when="after")
    xero.fault(EXISTING, fault=fault, when="before", **({"status": 403} if fault == "page" else {}))
    with pytest.raises(Unavailable):
        xero.feeds.create_feed_connection(access, NEW)
    feed = made(xero, access, NEW)
    assert [one["id"] for one in at_xero(xero)] == [feed.id]
    assert accounts(xero) == before + 1
    assert len(xero.calls(NEW_ACCOUNT)) == 1, "a second one could be another account"


@WITH_2
def test_a_new_account_with_a_name_that_is_taken_is_refused_in_xeros_words(xero: Xero) -> None:
    access = xero.access()
    with pytest.raises(Refused) as raised:
        xero.feeds.create_feed_connection(access, NEW.but(account_name="Business Current Account"))
    assert (raised.value.problem.type, raised.value.problem.status) == ("account-name-already-exists", 409)
    refusal = xero.feeds.refusal_for_rejection(access, [raised.value.problem])
    assert (refusal.scope, refusal.reason) == (Scope.FEED, "account-name-taken")


@WITH_2
def test_of_two_cards_with_the_same_four_digits_only_the_one_with_the_name_is_meant(xero: Xero) -> None:
    access = xero.access()
    card = next(one for one in xero.feeds.target_accounts(access) if one.kind is AccountKind.CREDIT_CARD)
    new = NEW.but(kind=card.kind, account_number=f"411111111111{card.number[-4:]}", currency=card.currency)
    other = xero.feeds.create_feed_connection(access, new.but(account_name="Another card"))
    found = xero.feeds.feed_connection(access, other.id)
    assert found is not None
    assert found.account_id != card.id
    named = xero.feeds.create_feed_connection(access, new.but(account_token="token-2", account_name=card.name))
    assert named.account_id == card.id


@WITH_2
def test_requests_of_2_have_no_idempotency_key_and_statements_keep_theirs(xero: Xero) -> None:
    access = xero.access()
    feed = xero.feeds.create_feed_connection(access, NEW)
    assert [call["path"] for call in xero.control("GET", "calls")["calls"] if call["method"] == "POST"].count(
        NEW_ACCOUNT
    ) == 1
    assert xero.feeds.feed_connection(access, feed.id) is not None
    assert xero.calls(f"{FEED_CONNECTIONS_PATH}/{feed.id}") == [], "2.0 knows it: 1.0 is not asked"


@WITH_2
def test_an_end_in_part_is_completed_by_its_repeat(xero: Xero) -> None:
    access = xero.access()
    feed = xero.feeds.create_feed_connection(access, NEW)
    xero.fault(DELETE_REQUESTS, fault="partial")
    with pytest.raises(Unavailable):
        xero.feeds.delete_feed_connection(access, feed.id)
    xero.feeds.delete_feed_connection(access, feed.id)
    assert len(xero.calls(DELETE_REQUESTS)) == 2
    assert xero.feeds.feed_connections(access) == []


@WITH_2
def test_every_page_of_the_list_is_read_until_an_empty_one(xero: Xero, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedlane.xero.feed_connections_2.PAGE_SIZE", 2)
    access = xero.access()
    for number in range(4):
        new = NEW.but(account_token=f"t-{number}", account_number=f"77{number}", account_name=f"Till {number}")
        xero.feeds.create_feed_connection(access, new)
    assert len(xero.feeds.feed_connections(access)) == 4
    assert len(xero.calls(FEED_CONNECTIONS_2_PATH)) == 3


# a change of version


@BOTH_VERSIONS
@VERSIONS_KNOW
def test_after_a_change_what_is_connected_goes_on_and_can_be_ended_and_made_again(xero: Xero, position: str) -> None:
    """From 1 to 2 and from 2 to 1. The customer has consented to both scopes, as after the operator chose 2."""
    xero.control("PUT", "behaviour", {"feedVersions": position})
    life = Life(xero)
    access = _consent(life, (*SCOPES, "bankfeedsv2"))
    life.map()
    life.queue(2)
    first = life.feed().feed_connection_id
    xero.version = 3 - xero.version
    life.queue(2, start=3)
    life.map()
    assert life.feed().feed_connection_id == first, "a repeated mapping finds it"
    assert [one.id for one in xero.feeds.feed_connections(access)] == [first]
    assert xero.feeds.feed_connection(access, first) is not None
    life.unmap()
    life.run()
    xero.advance(60)
    assert xero.feeds.feed_connection(access, first) is None
    assert at_xero(xero) == []
    life.map()
    life.queue(2, start=5)
    assert life.account.status is SourceAccountStatus.CONNECTED
    assert life.delivered() == [f"t{number}" for number in range(1, 7)]
    assert hold_items.holds(life.store) == []


@BOTH_VERSIONS
@VERSIONS_KNOW
def test_a_feed_ended_in_xero_after_a_change_is_noticed(xero: Xero, position: str) -> None:
    xero.control("PUT", "behaviour", {"feedVersions": position})
    life = Life(xero)
    _consent(life, (*SCOPES, "bankfeedsv2"))
    life.map()
    life.queue(2)
    xero.version = 3 - xero.version
    xero.control("DELETE", f"feedConnections/{life.feed().feed_connection_id}")
    life.queue(2, start=3)
    assert life.account.status is SourceAccountStatus.DISCONNECTED
    life.map()
    life.run()
    assert life.delivered() == ["t1", "t2", "t3", "t4"]


def test_while_the_version_is_1_nobody_asks_2_without_its_scope(xero: Xero) -> None:
    life = Life(xero)
    life.map()
    life.queue(1)
    life.unmap()
    assert not any("/2.0/Feed" in call["path"] for call in xero.control("GET", "calls")["calls"])


# a consent without the scope


def _consent(life: Life, scopes: tuple[str, ...]) -> TenantAccess:
    grant = life.xero.consent(BAKERY, scopes=scopes)
    changed = life.connection.but(token_set_id=grant.token_set_id, scopes=scopes)
    life.store.commit(company_items.put_connection(changed))
    return TenantAccess(tenant_id=BAKERY, token_set_id=grant.token_set_id)


def test_without_the_scope_another_mapping_waits_for_the_customer_and_everything_else_goes_on(xero: Xero) -> None:
    life = Life(xero)
    life.map()
    life.queue(2)
    life.unmap()
    life.run()
    xero.advance(60)
    xero.version = 2
    with pytest.raises(Refused) as raised:
        life.map()
    assert raised.value.problem.type == "missing-feed-connections-scope"
    [hold] = hold_items.holds(life.store)
    assert (hold.scope, hold.reason) == (Scope.FEED, "missing-feed-connections-scope")
    assert not life.connection.needs_reconnection
    life.queue(2, start=3)
    lift(life, hold)  # too early
    life.run()
    [hold] = hold_items.holds(life.store)
    assert not any("/2.0/Feed" in call["path"] for call in xero.control("GET", "calls")["calls"]), "not hammered"
    _consent(life, (*SCOPES, "bankfeedsv2"))
    hold_release.resume_connection(life.ports, life.now, life.connection)
    assert hold_release.is_resumed(life.store, life.connection)
    life.run()
    assert life.account.status is SourceAccountStatus.CONNECTED
    assert life.delivered() == ["t1", "t2", "t3", "t4"]
    assert hold_items.holds(life.store) == []


def test_the_scope_may_come_with_the_same_users_consent_for_another_company(xero: Xero) -> None:
    life = Life(xero)
    xero.version = 2
    _consent(life, SCOPES)
    with pytest.raises(Refused):
        life.map()
    life.queue(2)
    assert [hold.reason for hold in hold_items.holds(life.store)] == ["missing-feed-connections-scope"]
    both = (*SCOPES, "bankfeedsv2")
    xero.consent(BAKERY, scopes=both)
    assert recovery.apply_listing(life.ports, life.now, life.connection, both), "the daily round sees it"
    life.advance(minutes=10)
    life.run()
    assert life.delivered() == ["t1", "t2"]
    assert hold_items.holds(life.store) == []


def test_without_the_scope_what_1_made_is_found_and_ended(xero: Xero) -> None:
    access = xero.access()
    feed = xero.feeds.create_feed_connection(access, NEW)
    xero.version = 2
    assert [one.id for one in xero.feeds.feed_connections(access)] == [feed.id]
    assert xero.feeds.feed_connection(access, feed.id) is not None
    xero.feeds.delete_feed_connection(access, feed.id)
    xero.advance(60)
    assert xero.feeds.feed_connection(access, feed.id) is None


@WITH_2
@pytest.mark.parametrize("status", [401, 403])
def test_a_scope_that_the_gateway_misses_is_no_end_of_the_connection(xero: Xero, status: int) -> None:
    """The token does not say its scopes, and Xero knows better."""
    xero.control("PUT", "behaviour", {"missingScope": status})
    grant = xero.consent(BAKERY, scopes=SCOPES)
    access = TenantAccess(tenant_id=BAKERY, token_set_id=grant.token_set_id)
    token = xero.vault.access_token(grant.token_set_id)
    xero.tokens.remember(grant.token_set_id, token.but(scopes=()))
    xero.tokens.newest_token = lambda id: xero.tokens.token(id)  # type: ignore[method-assign]
    with pytest.raises(Refused) as raised:
        xero.feeds.create_feed_connection(access, NEW)
    assert raised.value.problem.type == "missing-feed-connections-scope"
    xero.control("DELETE", f"connections/{BAKERY}")
    with pytest.raises((Refused, ReconnectionNeeded)):
        xero.feeds.create_feed_connection(access, NEW)


# an app without 2.0


@WITH_2
def test_an_app_that_xero_has_not_enabled_for_2_holds_the_mapping_and_no_statement(xero: Xero) -> None:
    xero.version = 1
    life = Life(xero)
    _consent(life, (*SCOPES, "bankfeedsv2"))
    life.map()
    life.queue(2)
    xero.control("PUT", "app", {"feedConnections2Enabled": False})
    xero.version = 2
    life.queue(2, start=3)
    access = TenantAccess(tenant_id=BAKERY, token_set_id=life.connection.token_set_id or "")
    [feed] = xero.feeds.feed_connections(access)
    assert xero.feeds.feed_connection(access, feed.id) is not None
    with pytest.raises(Refused) as raised:
        xero.feeds.create_feed_connection(access, NEW)
    refusal = xero.feeds.refusal_for_rejection(access, [raised.value.problem])
    assert (refusal.scope, refusal.reason) == (Scope.FEED, "feed-connections-not-enabled")
    assert (raised.value.problem.status, raised.value.problem.title) == (403, "Invalid Application")
    assert life.delivered() == ["t1", "t2", "t3", "t4"]
    xero.control("PUT", "app", {"bankFeedsEnabled": False})
    with pytest.raises(Refused) as raised:
        xero.feeds.feed_connections(access)
    assert raised.value.problem.type == "invalid-application", "the app has no bank feeds at all"


def test_link_asks_for_the_scope_of_the_version_and_for_that_of_statements() -> None:
    assert Settings(bank_feeds=True).scopes.count("bankfeedsv2") == 0
    both = Settings(bank_feeds=True, feed_connections=2).scopes
    assert {"bankfeeds", "bankfeedsv2"} <= set(both)
    assert "bankfeedsv2" not in Settings(bank_feeds=False, feed_connections=2).scopes
