"""What the overview says needs the operator: at most five lines, the most urgent first, each with where to act."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.feeds import gap_items, hole_items
from feedlane.feeds.gap_items import FoundGap, PushGaps
from feedlane.feeds.hole import Hole
from feedlane.ids import derived_id
from feedlane.settings import items as settings_items
from feedlane.upkeep import dead_letter_count
from feedlane.vault.leases import LEASE_DURATION, Leases
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from tests.unit.web.held import add_feed, hold_connection
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

GAP = FoundGap(
    line=4, transaction_id="t4", after="2026-05-01", before="2026-05-02", expected_balance=Decimal(1),
    given_balance=Decimal(2),
)  # fmt: skip


@pytest.fixture
def world() -> World:
    return signed_in()


def needs(world: World) -> list[tuple[str, str, str]]:
    """Each line's text, its action and where that leads."""
    card = world.browser.get("/portal").body.split('id="needs"')[1].split("</section>")[0]
    found = re.findall(r'</span>([^<]+)(?:<small>.*?</small>)?</span><a [^>]*href="([^"]+)">([^<]+)<', card)
    isolated = str.maketrans("", "", "\u2068\u2069")
    return [(html.unescape(text).translate(isolated), action, path) for text, path, action in found]


def add_gap(world: World, account_id: str, found: datetime | None = None, line: int = 4) -> None:
    push = PushGaps(operation_key="p", found=found or world.now, count=1, gaps=(GAP.but(line=line),))
    world.store.commit(gap_items.put_gaps(f"{world.connection.id}/{account_id}", push))


def add_hole(world: World, account_id: str, requested_on: datetime) -> Hole:
    hole = Hole(
        operation_key=f"push-{account_id}", company_id=world.connection.company_id, requested_on=requested_on,
        transactions=2, unread=0, missing=2, error="too old",
    )  # fmt: skip
    world.store.commit(hole_items.add_hole(f"{world.connection.id}/{account_id}", hole))
    return hole


def company_name(world: World) -> str:
    return company_items.company(world.store, world.connection.company_id).name


def fail_refresh(world: World, token_set_id: str) -> Leases:
    leases = Leases(world.table, world.clock, pause=lambda _: None)
    lease = leases.take(leases.read(token_set_id), refresh=True)
    assert lease is not None
    leases.release(lease, in_doubt=True)
    return leases


def test_nothing_needs_an_operator_of_a_healthy_stack(world: World) -> None:
    assert needs(world) == []
    assert "Nothing needs you" in world.browser.get("/portal").body


def test_dead_letters_are_told_with_their_number(world: World) -> None:
    dead_letter_count.note_count(world.store, 1, world.now - timedelta(hours=3))
    text, path = "1 message could not be processed and is kept", "/portal/dead-letters"
    assert needs(world) == [(text, "See why", path)]
    assert "09:00 UTC" in world.browser.get("/portal").body
    dead_letter_count.note_count(world.store, 1_200, world.now)
    assert needs(world)[0][0] == "1,200 messages could not be processed and are kept"
    dead_letter_count.note_count(world.store, 0, world.now)
    assert needs(world) == []


def test_a_feed_with_a_new_gap_is_told_and_leads_to_its_page(world: World) -> None:
    add_feed(world, gaps=1)
    add_gap(world, "main")
    path = f"/portal/feeds/{world.connection.id}/main"
    text = f"Transactions may be missing in Main account of {company_name(world)}"
    assert needs(world) == [(text, "See the gaps", path)]


def test_of_several_feeds_with_gaps_the_latest_is_named_and_the_list_has_them(world: World) -> None:
    add_feed(world, gaps=1)
    for number in range(3):
        world.add_account(f"account-{number}", account_name=f"Account {number}")
        add_gap(world, f"account-{number}", world.now - timedelta(hours=number + 1))
    add_gap(world, "main")
    [(text, _, path)] = needs(world)
    assert text.startswith("Transactions may be missing in Main account of ")
    assert text.endswith(" and 3 other feeds")
    body = world.browser.get(path).body
    assert "Main account" in body.split("<tbody>")[1]
    assert "Account 0" not in body.split("<tbody>")[1]
    assert '<option value="gap" selected>' in body


def test_a_feed_with_a_gap_in_each_push_does_not_hide_that_there_may_be_others(world: World) -> None:
    add_feed(world, gaps=1)
    world.add_account("quiet", account_name="Quiet account")
    add_gap(world, "quiet", world.now - timedelta(days=1))
    for number in range(30):
        add_gap(world, "main", world.now - timedelta(minutes=number), line=number)
    company = company_name(world)
    text = f"Transactions may be missing in Main account of {company}, and perhaps in others"
    assert needs(world) == [(text, "See the gaps", "/portal/feeds?state=gap")]
    add_gap(world, "quiet", line=5)
    [(text, _, path)] = needs(world)
    assert text.endswith(" and at least 1 other feed")
    assert path == "/portal/feeds?state=gap"


def test_gaps_of_long_ago_and_of_deleted_accounts_are_not_told(world: World) -> None:
    add_feed(world, gaps=1)
    add_gap(world, "main", world.now - timedelta(days=8))
    add_gap(world, "deleted")
    assert needs(world) == []


def test_a_refused_push_whose_transactions_are_missing_is_told_until_they_are_not(world: World) -> None:
    add_feed(world, holes=1)
    hole = add_hole(world, "main", world.now - timedelta(days=30))
    path = f"/portal/feeds/{world.connection.id}/main"
    text = f"Transactions of a refused push are missing in Main account of {company_name(world)}"
    assert needs(world) == [(text, "See which", path)]
    world.store.commit(hole_items.put_hole(f"{world.connection.id}/main", hole.without([])))
    assert needs(world) == [(text, "See which", path)]
    world.store.commit(hole_items.remove_hole(f"{world.connection.id}/main", hole))
    assert needs(world) == []


def test_of_several_feeds_with_holes_the_latest_is_named_and_the_list_has_them(world: World) -> None:
    add_feed(world, holes=1)
    world.add_account("other", account_name="Other account")
    add_hole(world, "other", world.now - timedelta(hours=1))
    add_hole(world, "main", world.now)
    add_hole(world, "deleted", world.now)
    [(text, _, path)] = needs(world)
    assert text.startswith("Transactions of a refused push are missing in Main account of ")
    assert text.endswith(" and 1 other feed")
    assert '<option value="hole" selected>' in world.browser.get(path).body


def test_a_connection_whose_token_cannot_be_refreshed_is_told_until_it_can(world: World) -> None:
    world.link()
    connection = world.current()
    assert connection.status is ConnectionStatus.LINKED
    assert connection.token_set_id
    leases = fail_refresh(world, connection.token_set_id)
    [(text, action, path)] = needs(world)
    assert text.startswith(f"The access to Xero of {company_name(world)} could not be renewed")
    assert (action, path) == ("See the company", f"/portal/companies/{connection.company_id}")
    # While somebody tries again, nobody can say that it fails; when he has died meanwhile, it does.
    lease = leases.take(leases.read(connection.token_set_id), refresh=True)
    assert lease is not None
    assert needs(world) == []
    world.now += LEASE_DURATION
    assert len(needs(world)) == 1
    leases.release(lease)
    assert needs(world) == []


def test_of_several_that_cannot_be_refreshed_the_number_is_told(world: World) -> None:
    world.link()
    fail_refresh(world, str(world.current().token_set_id))
    world.now += timedelta(seconds=1)
    for number in range(3):
        fail_refresh(world, f"unused-{number}")
    [(text, action, path)] = needs(world)
    assert text.startswith(f"The access to Xero of {company_name(world)} and 3 others could not be renewed")
    assert (action, path) == ("Test the integration", "/portal/set-up/test")


def test_of_more_than_are_read_only_so_many_are_said_to_be_there(world: World) -> None:
    for number in range(40):
        fail_refresh(world, f"set-{number:02}")
    assert "and at least 29 others could not be renewed" in needs(world)[0][0]


def test_the_most_urgent_five_are_told_in_their_order(world: World) -> None:
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(enabled=False)))
    hold_connection(world)
    dead_letter_count.note_count(world.store, 2, world.now)
    fail_refresh(world, "unused")
    add_feed(world, gaps=1)
    add_gap(world, "main")
    for id, fields in (("c1", {"disabled": True, "disabled_because": "failing"}), ("c2", {"failing_since": world.now})):
        consumer = Consumer(id=id, url=f"https://{id}.example.com", created=world.now, **fields)
        world.store.commit(webhook_items.add_consumer(consumer))
    paths = [path for _, _, path in needs(world)]
    assert paths == [
        "/portal/set-up/test", "/portal/dead-letters", "/portal/set-up", "/portal/holds?reason=reconnection-needed",
        "/portal/webhooks/c1",
    ]  # fmt: skip


def test_the_lines_cost_the_same_however_much_there_is(world: World) -> None:
    costs = []
    for many in (1, 200):
        for number in range(many):
            account = f"{derived_id(str(many), str(number))}"
            world.add_account(account)
            add_gap(world, account, world.now - timedelta(seconds=number))
            fail_refresh(world, f"set-{many}-{number}")
        before = world.table.reads.requests
        needs(world)
        costs.append(world.table.reads.requests - before)
    assert costs[0] == costs[1]
