"""Try it with a test company: made, followed by facts, sent one transaction, and removed again."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from feedlane.companies import items as company_items
from feedlane.feeds import push_operation_items
from feedlane.mapping import mapping
from feedlane.settings import items as settings_items
from feedlane.store import keys
from feedlane.upkeep import trial
from feedlane.upkeep.trial import ACCOUNT_ID, Progress
from tests.builders import NOW
from tests.fakes.browser import PageResponse
from tests.interruptions import just_before
from tests.rights import acting_as
from tests.unit.web.portal import signed_in
from tests.worlds.web import API_KEY, World

PATH = "/portal/set-up/try"


@pytest.fixture
def world() -> World:
    return signed_in()


def post(world: World, action: str = "", **fields: str) -> PageResponse:
    return world.browser.post(f"{PATH}{action}", {"formToken": world.form_token(PATH)} | fields)


def progress(world: World) -> Progress:
    found = trial.find(world.store)
    assert found is not None
    return found


def stages(world: World) -> str:
    """How many of the four are done, as the page shows them."""
    body = world.browser.get(PATH).body
    return "".join("x" if "✓" in sign else "-" for sign in re.findall(r'<li><span class="step[^>]*>(.)<', body))


def begin(world: World) -> Progress:
    assert post(world, currency="GBP").location.endswith(f"{PATH}?done=made")
    return progress(world)


def consent_and_map(world: World) -> None:
    connection = progress(world).connection
    world.link(connection)
    assert stages(world) == "x---"
    with acting_as("link"):
        account = company_items.source_account(world.store, connection.id, ACCOUNT_ID)
        mapping.map_account(world.ports, world.upstream, world.now, world.current(connection), account, "x-1")
    world.run_follow_ups("feedConnection")


def test_it_makes_company_connection_and_account_once_and_shows_the_link(world: World) -> None:
    began = begin(world)
    assert stages(world) == "----"
    body = world.browser.get(PATH).body
    assert f"/link/companies/{began.trial.company_id}/connections/{began.trial.connection_id}/start" in body
    assert "data-refresh" in body
    begin(world)
    assert progress(world).trial == began.trial
    account = company_items.source_account(world.store, began.trial.connection_id, ACCOUNT_ID)
    assert (account.currency, account.status) == ("GBP", "pending")
    assert company_items.company(world.store, began.trial.company_id).tags == {"feedlane": "test"}


def test_a_currency_that_is_none_is_refused_and_asked_for_again(world: World) -> None:
    answer = post(world, currency="pounds")
    assert answer.status == 422
    assert "Enter the currency as three capital letters" in answer.body
    assert 'value="pounds"' in answer.body
    assert post(world, currency="EUR").status == 303
    assert progress(world).account is not None


def test_the_transaction_is_sent_once_the_account_is_mapped_and_only_once(world: World) -> None:
    begin(world)
    assert post(world, "/send").status == 409
    consent_and_map(world)
    connection = progress(world).connection
    assert stages(world) == "xx--"
    assert post(world, "/send").status == 303
    assert stages(world) == "xxx-"
    first = progress(world).operation
    assert first is not None
    assert first.transactions == 1
    assert post(world, "/send").status == 303
    assert progress(world).operation == first
    pushed = [json.loads(sent["body"]) for sent in world.queues.pushed]
    assert {one["pushOperationKey"] for one in pushed} == {first.key}

    world.store.commit(push_operation_items.put_operation(first.succeeded(NOW)))
    assert stages(world) == "xxxx"
    assert "data-refresh=" not in world.browser.get(PATH).body
    assert connection.is_linked


def pushed_ids(world: World) -> list[str]:
    """Of every push operation of the test company, the ids of its transactions."""
    operations = push_operation_items.operations_of_company(world.store, progress(world).trial.company_id)
    return [line.id for one in operations for line in push_operation_items.pushed_lines(world.store, one)]


def test_two_clicks_at_once_send_one(world: World) -> None:
    begin(world)
    consent_and_map(world)
    just_before(world, "commit", lambda: post(world, "/send") and None, repr(keys.TRIAL[1]))  # type: ignore[arg-type]
    post(world, "/send")
    assert len(pushed_ids(world)) == 1


def test_what_waits_behind_a_hold_is_the_same_when_it_is_sent_again(world: World) -> None:
    begin(world)
    consent_and_map(world)
    post(world, "/send")
    operation = progress(world).operation
    assert operation is not None
    world.store.commit(push_operation_items.put_operation(operation.failed(NOW, "Xero says no")))
    world.now += timedelta(days=1)
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    post(world, "/send")
    first, second = pushed_ids(world)
    assert first == second


def test_a_refusal_is_shown_and_it_can_be_sent_again(world: World) -> None:
    begin(world)
    consent_and_map(world)
    post(world, "/send")
    operation = progress(world).operation
    assert operation is not None
    world.store.commit(push_operation_items.put_operation(operation.failed(NOW, "Xero says no")))
    body = world.browser.get(PATH).body
    assert "Xero says no" in body
    assert "Send the transaction" in body
    assert "data-refresh=" not in body


def test_it_is_removed_with_all_that_belongs_to_it_and_ended_at_xero(world: World) -> None:
    began = begin(world)
    consent_and_map(world)
    assert post(world, "/remove").location.endswith(f"{PATH}?done=removed")
    assert world.site.disconnected == [began.trial.connection_id]
    assert company_items.find_company(world.store, began.trial.company_id) is None
    assert trial.find(world.store) is None
    assert "Make the test company" in world.browser.get(PATH).body
    assert post(world, "/remove").status == 303


def test_a_company_that_was_deleted_elsewhere_is_no_longer_followed(world: World) -> None:
    began = begin(world)
    world.store.table.delete_many([keys.connection(began.trial.company_id, began.trial.connection_id)])
    assert "Make the test company" in world.browser.get(PATH).body
    assert post(world, "/send").status == 409
    assert post(world, "/link").status == 404
    assert begin(world).trial != began.trial


def test_with_passwords_the_link_is_made_by_a_button_and_not_by_looking(world: World) -> None:
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(link_passwords=True)))
    began = begin(world)
    start = f"/connections/{began.trial.connection_id}/start"
    assert start not in world.browser.get(PATH).body
    passwords = [key for key in world.table.items if key[0].startswith("PASSWORD#")]
    assert passwords == []
    assert f"{start}?otp=" in post(world, "/link").body


def test_before_it_is_enabled_the_page_says_that_a_customer_could_not_go_on(world: World) -> None:
    assert "could not go on" not in world.browser.get(PATH).body
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(bank_feeds=False)))
    assert "Bank feeds are off: a customer could not go on" in world.browser.get(PATH).body
