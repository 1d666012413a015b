"""Link URLs with one-time passwords: who may start, how often, and what others see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.ids import new_secret
from feedlane.link import passwords as link_passwords
from tests import builders
from tests.fakes.browser import Browser
from tests.fakes.consent import ACME, OTHER
from tests.worlds.web import API_KEY, World


@pytest.fixture
def world() -> World:
    return World(link_passwords=True)


def _password(world: World) -> str:
    passwords = link_passwords.issue_connection_passwords(world.store, world.now, new_secret, [world.connection])
    return passwords[world.connection.id]


def _company_link(world: World) -> str:
    company_id = world.connection.company_id
    password = link_passwords.issue_company_password(world.store, world.now, new_secret, company_id)
    return f"/link/company/{company_id}?link.otp={password}"


def test_the_link_as_the_platform_gave_it_starts(world: World) -> None:
    assert world.call_back(world.start(query=f"?otp={_password(world)}")).status == 302
    assert world.current().is_linked


def test_without_a_password_a_page_says_so_and_nothing_starts(world: World) -> None:
    before = dict(world.table.items)
    response = world.browser.get(f"{world.base()}/start")
    assert response.status == 403
    assert "This link is incomplete" in response.body
    assert "one-time password" in response.body
    assert world.table.items == before


@pytest.mark.parametrize("wrong", ["nobody-gave-this-out", "ünknown", "x" * 5000])
def test_a_password_that_nobody_gave_out_is_refused(world: World, wrong: str) -> None:
    response = world.browser.get(f"{world.base()}/start?otp={wrong}")
    assert response.status in {403, 410}
    assert not response.cookies


def test_it_works_once(world: World) -> None:
    password = _password(world)
    world.call_back(world.start(query=f"?otp={password}"))
    stranger = Browser(world.site).get(f"{world.base()}/start?otp={password}")
    assert stranger.status == 410
    assert "no longer valid" in stranger.body
    assert "Ledgerly" in stranger.body


def test_a_choice_that_comes_to_nothing_gives_the_password_back() -> None:
    """The password was spent when the customer was asked to choose; the last free place went to somebody else."""
    world = World(link_passwords=True, connection_limit=5)
    world.site.organisations.consented = [ACME, OTHER]
    password = _password(world)
    path = world.call_back(world.start(query=f"?otp={password}")).path
    choice = {"formToken": world.form_token(path), "tenantId": ACME.tenant_id}
    for number in range(5):
        tenant = builders.tenant(f"tenant-{number}")
        linked = builders.linked(f"linked-{number}", company_id=world.connection.company_id, tenant=tenant)
        world.store.commit(company_items.add_connection(linked))
    assert connection_limit.recount(world.store) == 5
    assert "limit" in world.browser.post(path, choice).body
    assert world.browser.get(path).status == 401
    assert Browser(world.site).get(f"{world.base()}/start?otp={password}").status != 410


def test_it_ends_after_a_day(world: World) -> None:
    password = _password(world)
    world.now += timedelta(days=1)
    assert world.browser.get(f"{world.base()}/start?otp={password}").status == 410


def test_a_mail_scanner_that_opens_the_link_does_not_use_it_up(world: World) -> None:
    password = _password(world)
    world.start(query=f"?otp={password}", browser=Browser(world.site))
    assert world.call_back(world.start(query=f"?otp={password}")).status == 302


def test_of_two_who_consent_at_once_on_one_link_the_first_counts(world: World) -> None:
    password = _password(world)
    other = Browser(world.site)
    first, second = world.start(query=f"?otp={password}"), world.start(query=f"?otp={password}", browser=other)
    assert world.call_back(first).status == 302
    response = world.call_back(second, "code-2", other)
    assert response.status == 410
    assert world.site.vault.exchanged == ["code-1"]


def test_who_cancelled_can_try_again_in_the_same_browser_only(world: World) -> None:
    world.browser.get(f"/oauth/callback?error=access_denied&state={world.start(query=f'?otp={_password(world)}')}")
    assert Browser(world.site).get(f"{world.base()}/start?link.reconnect=1").status == 403
    assert world.call_back(world.start(query="?link.reconnect=1")).status == 302


def test_a_consent_that_came_to_nothing_gives_the_link_back(world: World) -> None:
    password = _password(world)
    world.call_back(world.start(query=f"?otp={password}"), "dead")
    assert world.call_back(world.start(query=f"?otp={password}")).status == 302


def test_who_has_come_back_from_xero_may_reconnect_without_another_password(world: World) -> None:
    world.call_back(world.start(query=f"?otp={_password(world)}"))
    assert world.browser.get(f"{world.base()}/start?link.reconnect=1").location.startswith("https://login.xero.test/")
    assert Browser(world.site).get(f"{world.base()}/start?link.reconnect=1").status == 403


def test_the_password_of_one_connection_opens_no_other(world: World) -> None:
    other = world.add_connection(world.connection.company_id)
    assert world.browser.get(f"{world.base(other)}/start?otp={_password(world)}").status == 410


def test_the_companys_link_leads_to_its_connections_and_to_no_other_company(world: World) -> None:
    url = _company_link(world)
    assert world.browser.get(url).status == 200
    assert world.browser.get(f"{world.base()}/start").status == 302
    elsewhere = world.add_connection()
    password = url.split("=")[1]
    assert world.browser.get(f"/link/company/{elsewhere.company_id}?link.otp={password}").status == 410
    assert world.browser.get(f"{world.base(elsewhere)}/start").status == 403


def test_the_companys_link_without_its_password_shows_nothing_of_the_company(world: World) -> None:
    response = world.browser.get(f"/link/company/{world.connection.company_id}")
    assert response.status == 403
    assert "Harbour Bakery" not in response.body
    assert world.browser.post(f"/link/company/{world.connection.company_id}", {}).status == 403


def test_only_fingerprints_are_kept_and_the_platform_is_not_told_the_password(world: World) -> None:
    world.set_profile(redirect_url="https://app.example.com/done?p={otp}")
    password = _password(world)
    state = world.start(query=f"?otp={password}")
    assert password not in str(world.table.items)
    response = world.browser.get(f"/oauth/callback?error=access_denied&state={state}")
    assert response.location == "https://app.example.com/done?p="


def test_the_portal_gives_a_link_that_works(world: World) -> None:
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    page = f"/portal/companies/{world.connection.company_id}"
    before = len(world.stored())
    body = world.browser.get(page).body
    assert ("Open as the customer" in body, len(world.stored())) == (False, before), "looking makes no password"
    form = {"formToken": world.form_token(page)}
    made = world.browser.post(f"{page}/connections/{world.connection.id}/link", form)
    link = (
        made.body.split('data-copy="the link for your customer">')[1].split("<")[0].removeprefix(world.site.public_url)
    )
    assert (made.status, Browser(world.site).get(link).status) == (201, 302)


def test_by_default_links_need_none() -> None:
    world = World()
    assert world.browser.get(f"{world.base()}/start").status == 302
