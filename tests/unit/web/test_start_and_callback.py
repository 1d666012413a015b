"""To Xero and back: a state is valid once, briefly and in one browser; anything else stores nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.companies.connection import ConnectionStatus
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.problem import Problem
from feedlane.settings import items as settings_items
from tests.builders import URL
from tests.fakes.browser import Browser
from tests.fakes.consent import ACME, OTHER
from tests.unit.web.held import hold_connection
from tests.worlds.web import World

REFUSED = Problem(type="about:blank", title="Forbidden", status=403, detail="AuthenticationUnsuccessful")


@pytest.fixture
def world() -> World:
    return World()


def test_start_sends_the_browser_to_xero_with_the_settings_scopes(world: World) -> None:
    response = world.browser.get(f"{world.base()}/start")
    assert response.location.startswith("https://login.xero.test/identity/connect/authorize?")
    assert response.query["client_id"] == "app-1"
    assert response.query["redirect_uri"] == f"{URL}/oauth/callback"
    assert set(response.query["scope"].split()) >= {"bankfeeds", "offline_access", "accounting.settings.read"}


def test_the_state_is_kept_as_a_fingerprint_and_bound_by_a_safe_cookie(world: World) -> None:
    response = world.browser.get(f"{world.base()}/start")
    [cookie] = response.cookies
    value = cookie.split("=")[1].split(";")[0]
    assert {"HttpOnly", "SameSite=Lax", "Secure", "Max-Age=600", "Path=/"} <= set(cookie.split("; "))
    assert response.query["state"] not in str(world.table.items)
    assert value not in str(world.table.items)


def test_a_good_answer_links_the_connection_and_goes_on_to_the_accounts(world: World) -> None:
    world.add_account()
    response = world.link()
    linked = world.current()
    assert response.location == f"{URL}{world.base()}/accounts"
    assert linked.status is ConnectionStatus.LINKED
    assert linked.tenant is not None
    assert (linked.tenant.id, linked.token_set_id) == (ACME.tenant_id, "token-set-1")
    assert (f"TENANT#{ACME.tenant_id}", f"LINKED#{linked.id}") in world.table.items
    assert world.event_types == ["connection.connected"]


def test_without_source_accounts_the_customer_goes_to_the_end(world: World) -> None:
    assert world.link().location == f"{URL}{world.base()}/finish"


def test_an_unknown_state_is_refused_and_nothing_is_stored(world: World) -> None:
    world.start()
    before = dict(world.table.items)
    response = world.call_back("never-given-out")
    assert response.status == 400
    assert "do not recognise" in response.body
    assert world.table.items == before
    assert world.site.vault.exchanged == []


def test_a_replayed_state_is_refused_and_nothing_is_stored(world: World) -> None:
    state = world.start()
    world.call_back(state)
    before = dict(world.table.items)
    response = world.call_back(state, "code-2")
    assert response.status == 409
    assert "already done" in response.body
    assert world.table.items == before
    assert world.site.vault.exchanged == ["code-1"]


def test_an_expired_state_is_refused_with_a_way_to_try_again(world: World) -> None:
    state = world.start()
    world.now += timedelta(minutes=10)
    before = dict(world.table.items)
    response = world.call_back(state)
    assert response.status == 410
    assert f'href="{world.base()}/start"' in response.body
    assert world.table.items == before


def test_a_state_in_another_browser_is_refused_without_a_way_on(world: World) -> None:
    """A customer who follows a link must not complete someone else's consent."""
    state = world.start()
    before = dict(world.table.items)
    response = world.call_back(state, browser=Browser(world.site))
    assert response.status == 403
    assert "/start" not in response.body
    assert world.table.items == before


def test_the_state_of_another_connection_is_refused(world: World) -> None:
    other = world.add_connection()
    world.start()
    foreign = world.start(other, browser=Browser(world.site))
    response = world.call_back(foreign)
    assert response.status == 403
    assert world.current(other).status is ConnectionStatus.PENDING_AUTH
    assert world.site.vault.exchanged == []


def test_two_flows_in_one_browser_do_not_disturb_each_other(world: World) -> None:
    other = world.add_connection(world.connection.company_id)
    first, second = world.start(), world.start(other)
    assert world.call_back(first, "code-1").status == 302
    world.site.organisations.consented = [OTHER]
    assert world.call_back(second, "code-2").status == 302
    assert world.current(other).tenant is not None


def test_an_answer_without_code_is_explained_and_does_not_use_the_state_up(world: World) -> None:
    state = world.start()
    before = dict(world.table.items)
    response = world.browser.get(f"/oauth/callback?state={state}")
    assert response.status == 400
    assert "incomplete" in response.body
    assert world.table.items == before
    assert world.call_back(state).status == 302


def test_cancelling_at_xero_is_written_on_the_connection_and_told_to_the_platform(world: World) -> None:
    world.set_profile(
        redirect_url="https://app.example.com/done?s={statusCode}&m={errorMessage}&t={statusText}&j={journey}"
    )
    state = world.start(query="?journey=abc%20d")
    response = world.browser.get(f"/oauth/callback?error=access_denied&error_description=x&state={state}")
    assert response.location == (
        "https://app.example.com/done?s=403&m=User%20cancelled&t=User%20cancelled%20linking&j=abc%20d"
    )
    [error] = world.current().errors
    assert (error.status_code, error.status_text, error.error_message) == (
        "403",
        "User cancelled linking",
        "User cancelled",
    )
    assert world.current().status is ConnectionStatus.PENDING_AUTH
    assert world.event_types == ["connection.failed"]


def test_cancelling_without_a_redirect_url_shows_a_page(world: World) -> None:
    response = world.browser.get(f"/oauth/callback?error=access_denied&state={world.start()}")
    assert response.status == 403
    assert "You cancelled" in response.body


def test_cancelling_a_reconnection_leaves_a_linked_connection_as_it_is(world: World) -> None:
    world.link()
    state = world.start(query="?link.reconnect=1")
    world.browser.get(f"/oauth/callback?error=access_denied&state={state}")
    assert world.current().is_linked
    assert world.current().errors == ()


def test_a_dead_code_is_explained_and_written_down(world: World) -> None:
    response = world.call_back(world.start(), "dead")
    assert response.status == 400
    assert "has expired" in response.body
    assert world.current().errors[0].status_code == "500"
    assert world.event_types == ["connection.failed"]


def test_a_start_that_is_not_set_up_says_so(world: World) -> None:
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(enabled=False)))
    world.set_profile(redirect_url="https://app.example.com/done/{statusCode}")
    response = world.browser.get(f"{world.base()}/start")
    assert response.status == 501
    assert "https://app.example.com/done/501" in response.body


def test_an_unknown_connection_is_not_found(world: World) -> None:
    assert world.browser.get("/link/companies/x/connections/y/start").status == 404


def test_a_linked_customer_with_a_session_goes_straight_to_the_accounts(world: World) -> None:
    world.link()
    assert world.browser.get(f"{world.base()}/start").path == f"{world.base()}/accounts"


def test_a_linked_customer_without_a_session_authorises_again(world: World) -> None:
    world.link()
    response = Browser(world.site).get(f"{world.base()}/start")
    assert response.location.startswith("https://login.xero.test/")


def test_a_session_does_not_skip_a_reconnection_that_is_needed(world: World) -> None:
    world.link()
    hold_connection(world)
    assert world.browser.get(f"{world.base()}/start").location.startswith("https://login.xero.test/")


def test_no_secret_is_in_a_log_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    state = world.start()
    world.call_back(state, "canary-code")
    [session] = [value for (name, _), value in world.browser.jar.items() if "feedlane_link" in name]
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "answered" in logged
    for secret in (state, "canary-code", session, "canary-access"):
        assert secret not in logged


def test_another_redirect_uri_of_the_same_host_is_sent_and_exchanged_with(world: World) -> None:
    """A proxy may add a path prefix."""
    uri = f"{URL}/xero/oauth/callback"
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(redirect_uri=uri)))
    response = world.browser.get(f"{world.base()}/start")
    assert response.query["redirect_uri"] == uri
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(redirect_uri="")))
    assert world.call_back(response.query["state"]).status == 302
    assert world.site.vault.redirect_uris == [uri]


def test_a_demo_company_after_its_reset_is_called_another_one_with_the_same_name(world: World) -> None:
    """Xero gives it a new tenant id: "select the same organisation" would lead its customer in circles."""
    world.link()
    world.site.organisations.consented = [ACME.but(tenant_id="tenant-after-reset")]
    world.browser = Browser(world.site)
    response = world.link(code="code-2")
    assert response.status == 409
    assert "a different organisation although its name is the same" in response.body
    assert "A demo company, for example" in response.body
    assert "move the connection" in response.body

    world.site.organisations.consented = [OTHER]
    world.browser = Browser(world.site)
    response = world.link(code="code-3")
    assert (response.status, "name is the same" in response.body) == (409, False)


@pytest.mark.parametrize("error", [ReconnectionNeeded(REFUSED), Refused(REFUSED)])
def test_a_list_that_xero_refuses_after_the_exchange_stands_on_the_connection(world: World, error: Exception) -> None:
    def refuse(_: object) -> None:
        raise error

    world.site.organisations.authorised_in = refuse  # type: ignore[method-assign,assignment]
    response = world.link()
    assert (response.status, "Xero did not grant access" in response.body) == (403, True)
    [fault] = world.current().errors
    assert fault.resolved_on is None
    assert world.event_types == ["connection.failed"]


def test_an_outage_after_the_exchange_stands_on_the_connection_until_it_is_linked(world: World) -> None:
    def fail(_: object) -> None:
        raise Unavailable("outage")

    world.site.organisations.authorised_in = fail  # type: ignore[method-assign,assignment]
    state = world.start()
    for _ in range(3):
        assert world.call_back(state).status == 503
    [fault] = world.current().errors
    assert (fault.reason, fault.resolved_on) == ("consent-unfinished", None)
    assert world.event_types == ["connection.failed"], "once, however often it is tried"
    del world.site.organisations.authorised_in  # type: ignore[method-assign]
    assert world.call_back(state).status == 302
    assert world.current().is_linked
    assert world.current().errors[0].resolved_on is not None
