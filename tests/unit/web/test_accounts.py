"""The mapping page: what it shows, what it accepts, and how it explains failures."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Refused, Unavailable
from feedlane.feeds.items import find_feed, put_feed
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection, TenantAccess
from feedlane.ids import feed_id
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.web.cookies import link_cookie_name
from tests.fakes.browser import Browser, PageResponse
from tests.worlds.web import World

_ROWS = [(1, "euros"), (2, "main"), (3, "savings")]


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account("main")
    world.add_account("savings", account_name="Savings", account_number="22228976")
    world.link()
    return world


class _Options(HTMLParser):
    """The options of each drop-down, by its id."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.selected: dict[str, str] = {}
        self._select = ""
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "select":
            self._select = attributes["id"] or ""
            self.values[self._select] = []
        if tag == "option":
            self.values[self._select].append(attributes.get("value") or "")
            if "selected" in attributes:
                self.selected[self._select] = attributes.get("value") or ""


def _post(world: World, form: dict[str, str], place: str = "accounts") -> PageResponse:
    token = world.form_token(f"{world.base()}/accounts")
    return world.browser.post(f"{world.base()}/{place}", {"formToken": token} | form)


def _post_without_xero(world: World, form: dict[str, str]) -> PageResponse:
    """The page has no form to take the token from: it is that of another one."""
    token = world.form_token(f"{world.base()}/disconnect")
    return world.browser.post(f"{world.base()}/accounts", {"formToken": token} | form)


def _row(source: str = "main", target: str = "x-1", start: str = "2026-05-01", number: int = 1) -> dict[str, str]:
    row = {"source": source, "target": target, "start": start, "include": "1"}
    return {"rows": str(number)} | {f"{name}-{number}": value for name, value in row.items()}


def test_each_unmapped_account_has_a_row_with_the_xero_accounts_of_its_kind_and_currency(world: World) -> None:
    world.add_account("euros", account_name="Euros", account_number="33330099", currency="EUR")
    response = world.browser.get(f"{world.base()}/accounts")
    options = _Options(response.body)
    assert options.values == {
        "target-1": ["", "x-2", "new"],
        "target-2": ["", "x-1", "new"],
        "target-3": ["", "x-1", "new"],
    }
    assert [f'name="source-{row}" value="{account}"' in response.body for row, account in _ROWS] == [True] * 3
    assert response.body.count(" checked") == 3
    assert "You currently have no connected accounts" in response.body
    assert "Create a new account in Xero" in response.body


def test_the_xero_account_with_the_same_number_is_proposed() -> None:
    world = World()
    world.add_account("main", account_number="11234")
    world.link()
    options = _Options(world.browser.get(f"{world.base()}/accounts").body)
    assert options.selected == {"target-1": "x-1"}


def test_an_account_without_a_match_gets_a_new_xero_account(world: World) -> None:
    assert _Options(world.browser.get(f"{world.base()}/accounts").body).selected == {
        "target-1": "new",
        "target-2": "new",
    }


def test_one_xero_account_is_proposed_to_one_account_only() -> None:
    world = World()
    world.add_account("main", account_number="20011234")
    world.add_account("other", account_number="20011234")
    world.link()
    assert _Options(world.browser.get(f"{world.base()}/accounts").body).selected == {
        "target-1": "x-1",
        "target-2": "new",
    }


def test_a_new_xero_account_takes_a_year_and_one_in_use_begins_today() -> None:
    world = World()
    world.add_account("main", account_number="20011234")
    world.add_account("savings", account_number="22228976")
    world.link()
    body = world.browser.get(f"{world.base()}/accounts").body
    assert 'name="start-1" value="2026-05-20"' in body
    assert 'name="start-2" value="2025-05-20"' in body


def test_a_row_that_is_not_ticked_is_left_out(world: World) -> None:
    form = _row() | _row("savings", "new", number=2)
    del form["include-2"]
    assert _post(world, form).status == 303
    accounts = company_items.source_accounts(world.store, world.connection.id)
    assert {account.id: account.mapping is not None for account in accounts} == {"main": True, "savings": False}


def test_at_least_one_row_has_to_be_ticked(world: World) -> None:
    form = _row()
    del form["include-1"]
    response = _post(world, form)
    assert response.status == 422
    assert "Tick at least one account" in response.body
    assert "<title>Error: " in response.body


def test_many_accounts_come_twenty_at_a_time(world: World) -> None:
    for number in range(20):
        world.add_account(f"a{number}", account_name=f"Account {number}")
    body = world.browser.get(f"{world.base()}/accounts").body
    assert body.count('<div class="row"') == 20
    assert "2 more accounts follow" in body


def test_connecting_makes_the_feed_and_shows_it_after_a_redirect(world: World) -> None:
    response = _post(world, _row())
    assert (response.status, response.path, response.query) == (303, f"{world.base()}/accounts", {"done": "connected"})
    account = company_items.source_account(world.store, world.connection.id, "main")
    assert account.mapping is not None
    assert (account.mapping.target_account_id, account.mapping.feed_start_date) == ("x-1", "2026-05-01")
    assert find_feed(world.store, f"{world.connection.id}/main") is not None
    body = world.browser.get(response.location).body
    assert "<strong><bdi>Main account</bdi> – 1234</strong>" in body
    assert "£159,000.00" in body
    assert "1 May 2026" in body
    assert "connected" in body


def test_a_connected_account_shows_the_ledgers_balance_with_its_date(world: World) -> None:
    _post(world, _row())
    feed = find_feed(world.store, f"{world.connection.id}/main")
    assert feed is not None
    after = feed.but(recorded_through=1, recorded_date="2026-05-18", recorded_balance=Decimal("-12.5"))
    world.store.commit(put_feed(after))
    body = world.browser.get(f"{world.base()}/accounts").body
    assert "−£12.50 on 18 May 2026" in body
    assert "£159,000.00" not in body.partition('id="manage"')[2]


def test_several_rows_connect_at_once(world: World) -> None:
    form = _row() | _row("savings", "new", "", number=2)
    assert _post(world, form).status == 303
    accounts = company_items.source_accounts(world.store, world.connection.id)
    assert [account.status for account in accounts] == [SourceAccountStatus.CONNECTED] * 2
    assert world.upstream.connections[1].account_id is None


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (_row(target=""), "Choose a Xero bank account"),
        (_row(target="x-2"), "Choose a Xero bank account in GBP"),
        (_row(start="2026-02-30"), "Enter a date"),
        (_row(start="2020-01-01"), "Must be from 20 May 2025 (a year ago) to 20 May 2026 (today)"),
        (_row(start="2030-01-01"), "Must be from"),
        (_row() | _row("savings", "x-1", number=2), "already in another row"),
    ],
)
def test_what_cannot_be_connected_is_said_at_the_field(world: World, form: dict[str, str], message: str) -> None:
    response = _post(world, form)
    assert response.status == 422
    assert message in response.body
    assert 'aria-invalid="true"' in response.body
    assert 'role="alert"' in response.body
    assert "<title>Error: " in response.body
    assert world.upstream.connections == []


def test_what_went_well_stays_connected_when_another_row_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    original = world.upstream.create_feed_connection

    def create(access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        if new.account_id is None:
            problem = Problem(type="invalid-organisation-multi-currency", title="x", status=400)
            raise Refused(problem)
        return original(access, new)

    monkeypatch.setattr(world.upstream, "create_feed_connection", create)
    response = _post(world, _row() | _row("savings", "new", number=2))
    assert response.status == 422
    assert "multi-currency" in response.body
    assert '<a href="#target-1">Savings: ' in response.body
    assert 'name="source-1" value="savings"' in response.body
    assert company_items.source_account(world.store, world.connection.id, "main").mapping is not None


def test_disconnecting_an_account_asks_once_and_gives_it_back_to_the_rows(world: World) -> None:
    _post(world, _row())
    question = world.browser.get(f"{world.base()}/accounts/disconnect?account=main").body
    assert "Disconnect Main account – 1234?" in question
    assert company_items.source_account(world.store, world.connection.id, "main").mapping is not None
    response = _post(world, {"account": "main"}, "accounts/disconnect")
    assert response.query == {"done": "disconnected"}
    assert 'name="source-1" value="main"' in world.browser.get(response.location).body
    assert (
        company_items.source_account(world.store, world.connection.id, "main").status
        is SourceAccountStatus.DISCONNECTED
    )


def test_xero_being_away_is_said_and_the_page_still_works(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(access: TenantAccess) -> None:
        raise Unavailable("x")

    monkeypatch.setattr(world.upstream, "target_accounts", unavailable)
    response = world.browser.get(f"{world.base()}/accounts")
    assert response.status == 200
    assert "Xero is not responding" in response.body
    assert "Try again</a>" in response.body
    sent = _post_without_xero(world, _row(start="2026-04-30"))
    assert sent.status == 503
    assert "Try again</button>" in sent.body
    assert 'name="start-1" value="2026-04-30"' in sent.body, "what was entered is not lost"


def test_a_connection_without_the_scope_offers_to_reconnect(world: World) -> None:
    world.store.commit(company_items.put_connection(world.current().but(scopes=("openid",))))
    response = world.browser.get(f"{world.base()}/accounts")
    assert "given access to bank feeds" in response.body
    assert "start?link.reconnect=1" in response.body


def test_while_an_account_is_connecting_the_page_looks_again_by_itself(world: World) -> None:
    _post(world, _row())
    account = company_items.source_account(world.store, world.connection.id, "main")
    world.store.commit(company_items.put_source_account(account.but(status=SourceAccountStatus.CONNECTING)))
    body = world.browser.get(f"{world.base()}/accounts").body
    assert "data-refresh=" in body
    assert 'http-equiv="refresh"' not in body, "a reload would lose what is being entered in the form"
    _post(world, _row("savings", "new"))
    assert 'http-equiv="refresh"' in world.browser.get(f"{world.base()}/accounts").body


def test_an_existing_xero_account_has_no_other_name_until_xero_says_its_own(world: World) -> None:
    """It was called what the customer calls theirs, as if a new one were being made."""
    _post(world, _row())
    account = company_items.source_account(world.store, world.connection.id, "main")
    assert account.mapping
    unnamed = account.mapping.but(target_account_name=None)
    world.store.commit(company_items.put_source_account(account.but(mapping=unnamed)))
    body = world.browser.get(f"{world.base()}/accounts").body
    assert re.search(r'data-label="Xero"><span class="quiet">name to follow<', body)
    new = account.mapping.but(target_account_name=None, target_account_id=None)
    stored = company_items.source_account(world.store, world.connection.id, "main")
    world.store.commit(company_items.put_source_account(stored.but(mapping=new)))
    body = world.browser.get(f"{world.base()}/accounts").body
    assert re.search(r'data-label="Xero"><bdi class="name">Main account<', body)


def test_a_xero_account_that_others_feed_is_named_and_not_offered(world: World) -> None:
    other = FeedConnection(id="fc-other", account_token="another platform's", account_id="x-1", active=True)
    world.upstream.connections.append(other)
    body = world.browser.get(f"{world.base()}/accounts").body
    assert '<option value="x-1"' not in body
    assert "another feed of the same app already fills them: Current." in body


@pytest.mark.parametrize(
    ("reason", "words"),
    [("feed-connection-gone", "ended in Xero"), ("account-archived", "Restore it"), ("account-deleted", "was deleted")],
)
def test_what_stops_one_account_is_said_with_its_way_out(world: World, reason: str, words: str) -> None:
    world.add_hold(Scope.FEED, feed_id(world.connection.id, "main"), reason=reason)
    body = world.browser.get(f"{world.base()}/accounts").body
    assert "Main account: " in body
    assert words in body


def test_without_a_session_the_page_is_closed(world: World) -> None:
    response = Browser(world.site).get(f"{world.base()}/accounts")
    assert response.status == 401
    assert f"{world.base()}/start" in response.body


def test_a_session_is_good_for_its_own_connection_only(world: World) -> None:
    other = world.add_connection()
    [value] = [value for (name, _), value in world.browser.jar.items() if "feedlane_link" in name]
    world.browser.jar[f"__Host-{link_cookie_name(other.id)}", "/"] = value
    assert world.browser.get(f"{world.base(other)}/accounts").status == 401


def test_a_session_ends_after_an_hour(world: World) -> None:
    world.advance(hours=1)
    assert world.browser.get(f"{world.base()}/accounts").status == 401


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_form_without_its_token_changes_nothing(world: World, token: str) -> None:
    response = world.browser.post(f"{world.base()}/accounts", {"formToken": token} | _row())
    assert response.status == 403
    assert "formToken" in response.body
    assert world.upstream.connections == []


def test_a_form_sent_by_another_site_changes_nothing(world: World) -> None:
    url = f"{world.base()}/accounts"
    form = {"formToken": world.form_token(url)} | _row()
    response = world.browser.post(url, form, headers={"sec-fetch-site": "cross-site"})
    assert response.status == 403
    assert world.upstream.connections == []


def test_names_from_outside_are_shown_and_not_run() -> None:
    world = World()
    world.add_account("main", account_name="<script>alert(1)</script>")
    world.link()
    body = world.browser.get(f"{world.base()}/accounts").body
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)" in body
