"""The portal's holds: grouped by reason with what to do, released after a look at the numbers, with their history."""

from __future__ import annotations

import re

import pytest

from feedlane.companies import items as company_items
from feedlane.events.event import RELEASED
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.scope import APP_SUBJECT, Scope
from tests import builders
from tests.builders import NOW
from tests.fakes.browser import PageResponse
from tests.unit.web.held import add_feed
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

PATH = "/portal/holds"


@pytest.fixture
def world() -> World:
    return signed_in()


def _hold(
    world: World, id: str, scope: Scope, subject: str, reason: str = "account-not-valid", **fields: object
) -> Hold:
    problem = builders.problem().but(title="No automated bank feeds", detail="The account cannot be fed.")
    return world.add_hold(scope, subject, id=id, reason=reason, problem=problem, **fields)


def _held_feed(world: World, waiting: int = 3) -> tuple[Feed, Hold]:
    feed = add_feed(world, recorded_through=waiting)
    names = {"company_id": feed.company_id, "connection_id": feed.connection_id, "account_id": feed.account_id}
    return feed, _hold(world, "hold-1", Scope.FEED, feed.id, **names)


def _release(world: World, *ids: str, **fields: str) -> PageResponse:
    form: dict[str, str | list[str]] = {"formToken": world.form_token(PATH), "hold": list(ids)} | fields
    return world.browser.post(f"{PATH}/release", form)


def test_holds_are_grouped_by_reason_with_who_can_mend_it_and_what_to_do(world: World) -> None:
    _held_feed(world)
    for number in range(30):
        _hold(world, f"many-{number:02d}", Scope.TENANT, f"tenant-{number}", "organisation-without-bank-feeds")
    body = world.browser.get(PATH).body
    assert "30 organisations: the organisation’s plan has no bank feeds" in body
    assert "1 account: the account is not valid for a bank feed" in body
    assert "<dd>The customer</dd>" in body
    assert "Have it corrected in Xero, or map it to another account, then release." in body
    assert "The account cannot be fed." in body
    assert '<span class="count">31</span>' in body


def test_a_row_names_company_account_and_what_waits(world: World) -> None:
    _held_feed(world, 1250)
    body = world.browser.get(PATH).body
    for text in ("Harbour Bakery", "Main account", "1,250"):
        assert text in body


def test_the_holds_of_a_reason_are_shown_in_pages_the_oldest_first(world: World) -> None:
    for number in range(30):
        world.advance(minutes=1)
        _hold(world, f"many-{number:02d}", Scope.TENANT, f"tenant-{number:02d}", "user-role-too-low")
    first = world.browser.get(f"{PATH}?reason=user-role-too-low").body
    assert re.findall(r'name="hold" value="(many-\d\d)"', first) == [f"many-{number:02d}" for number in range(25)]
    [following] = re.findall(r'href="(/portal/holds\?[^"]+)" rel="next"', first)
    second = world.browser.get(following.replace("&amp;", "&")).body
    assert len(re.findall(r'name="hold" value="many-', second)) == 5
    for name in ("after", "before"):
        assert world.browser.get(f"{PATH}?{name}={'x' * 5_000}").status == 400


def test_a_release_shows_its_numbers_before_it_releases(world: World) -> None:
    _held_feed(world)
    _hold(world, "hold-2", Scope.APP, APP_SUBJECT, "app-suspended")
    asked = _release(world, "hold-1", "hold-2")
    assert asked.status == 200
    assert "Release 2 holds?" in asked.body
    assert hold_items.find_holds(world.store, ["hold-1", "hold-2"])
    done = _release(world, "hold-1", "hold-2", confirmed="yes")
    assert (done.status, done.query) == (303, {"released": "2"})
    assert not hold_items.holds(world.store)
    assert world.event_types.count(RELEASED) == 2
    assert "2 holds released." in world.browser.get(done.location).body


def test_the_button_of_one_hold_asks_too(world: World) -> None:
    _held_feed(world)
    asked = world.browser.post(f"{PATH}/hold-1/release", {"formToken": world.form_token(PATH)})
    assert "Release 1 hold?" in asked.body
    assert "3 transactions" in asked.body
    assert hold_items.holds(world.store)


def test_what_is_released_already_says_so(world: World) -> None:
    _held_feed(world)
    _release(world, "hold-1", confirmed="yes")
    again = _release(world, "hold-1", confirmed="yes")
    assert "has already been released" in world.browser.get(again.location).body
    assert _release(world).path == PATH


def test_a_released_hold_says_who_released_it_and_what_became_of_it(world: World) -> None:
    feed, _ = _held_feed(world)
    _release(world, "hold-1", confirmed="yes")
    body = world.browser.get(PATH).body
    assert '<span class="pill warn">being sent</span>' in body
    assert "data-refresh=" in body
    assert 'by <bdi class="name">Ops</bdi>' in body
    assert "No automated bank feeds" in body
    world.advance(hours=1)
    _hold(world, "hold-2", Scope.FEED, feed.id, company_id=feed.company_id, connection_id=feed.connection_id)
    body = world.browser.get(PATH).body
    assert '<span class="pill bad">refused again</span>' in body
    assert "Refused again after 1 release" in body


def test_while_a_release_is_sent_the_list_of_holds_looks_again_too(world: World) -> None:
    """It went on saying that nothing is held, beside a hold that Xero had refused again."""
    _held_feed(world)
    _release(world, "hold-1", confirmed="yes")
    body = world.browser.get(PATH).body
    for part in ("hold-list", "released-list"):
        assert re.search(f'id="{part}"[^>]* data-refresh=', body), part
    assert "The account is not valid for a bank feed" in body, "in the words of the list above"


def test_a_hold_whose_release_goes_on_says_so(world: World) -> None:
    _hold(world, "hold-1", Scope.APP, APP_SUBJECT, "app-suspended", releasing=True)
    assert "being released" in world.browser.get(PATH).body


def test_an_unknown_reason_says_where_to_look(world: World) -> None:
    _hold(world, "hold-1", Scope.TENANT, "t", "a-new-reason")
    assert "Read what Xero says" in world.browser.get(PATH).body


def test_nothing_held_says_so(world: World) -> None:
    assert "Nothing is held" in world.browser.get(PATH).body
    assert "No hold fits" in world.browser.get(f"{PATH}?reason=nothing").body


def test_the_overview_leads_to_the_oldest_hold_and_what_to_do(world: World) -> None:
    _held_feed(world)
    body = world.browser.get("/portal").body
    assert "1 account held: the account is not valid for a bank feed" in body
    assert 'href="/portal/holds?reason=account-not-valid"' in body
    assert NOW.strftime("%Y-%m-%dT%H:%M") in body


def test_a_company_is_held_whatever_else_is_held(world: World) -> None:
    """The list read the first 200 holds alone: a company whose hold came later was a healthy one."""
    company = company_items.company(world.store, world.connection.company_id)
    world.store.commit(company_items.put_company(company.but(connection_ids=(world.connection.id,))))
    for number in range(210):
        _hold(world, f"before-{number:03d}", Scope.FEED, f"other/{number}", connection_id="other")
    feed = add_feed(world)
    _hold(world, "later", Scope.FEED, feed.id, company_id=feed.company_id, connection_id=feed.connection_id)
    assert '<span class="pill bad">held</span>' in world.browser.get("/portal/companies").body
