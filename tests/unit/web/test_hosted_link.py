"""Link through Codat: made or adopted there, and believed only on Codat's word, whatever a redirect says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.companies.connection import CODAT_ACCESS, ConnectionStatus
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.ids import new_secret
from feedlane.link.passwords import issue_connection_passwords
from feedlane.settings.settings import CodatFacts
from local.simulator.organisations import fixed_id
from tests.fakes.browser import Browser
from tests.worlds.codat import CODAT_URL, World

CONNECTED, RECONNECTED, FAILED = "connection.connected", "connection.reconnected", "connection.failed"


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    return world


def codat_ids(world: World) -> tuple[str, str]:
    [connection] = world.codat.connections.values()
    return connection.company_id, connection.id


# the start


def test_the_start_makes_company_connection_and_accounts_at_codat_and_goes_there(world: World) -> None:
    location = world.open_link("?journey=7")
    company_id, connection_id = codat_ids(world)
    assert location.startswith(f"{CODAT_URL}/companies/{company_id}/connections/{connection_id}/start?feedlaneState=")
    company = company_items.company(world.store, world.connection.company_id)
    assert world.codat.companies[company_id].name == company.name
    assert world.codat.companies[company_id].tags == {
        "feedlane": company.id,
        "feedlane-connection": world.connection.id,
    }
    assert [account.id for account in world.codat.accounts.values()] == ["main"]
    state = parse_qs(urlsplit(location).query)["feedlaneState"][0]
    assert state not in str(world.table.items), "only its fingerprint is stored"


def test_opened_again_it_finds_what_it_made(world: World) -> None:
    for _ in range(3):
        world.open_link()
    assert len(world.codat.companies) == len(world.codat.connections) == 1


def test_what_a_crash_has_left_at_codat_is_found_by_its_tags(world: World) -> None:
    world.open_link()
    forgotten = world.current()
    world.store.commit(company_items.put_connection(forgotten.but(hosted=None)))
    world.open_link()
    assert len(world.codat.companies) == len(world.codat.connections) == 1
    assert world.current().hosted == forgotten.hosted


def test_a_lost_answer_makes_no_second_company(world: World) -> None:
    lost: list[str] = []

    def lose(request: httpx.Request) -> bool:
        is_first = request.method == "POST" and not lost
        lost.extend([str(request.url)] if is_first else [])
        return is_first

    world.wire.lose = lose
    refused = world.browser.get(f"{world.base()}/start")
    assert refused.status == 503
    world.open_link()
    assert len(world.codat.companies) == 1


def test_a_company_that_the_platform_tagged_at_codat_is_adopted_with_its_connection(world: World) -> None:
    answer = world.client.call(
        "", "POST", "/companies",
        content=f'{{"name": "Bakery", "tags": {{"feedlane": "{world.connection.company_id}", "uid": "7"}}}}'.encode(),
    )  # fmt: skip
    company_id = answer.json()["id"]
    path = f"/companies/{company_id}/connections"
    made = world.client.call(company_id, "POST", path, content=b'{"platformKey": "gbol"}').json()
    world.open_link()
    hosted = world.current().hosted
    assert hosted is not None
    assert (hosted.company_id, hosted.connection_id) == (company_id, made["id"])
    assert world.codat.companies[company_id].tags["uid"] == "7"
    assert world.codat.companies[company_id].tags["feedlane-connection"] == world.connection.id


def test_a_second_connection_of_the_company_has_a_company_of_its_own_at_codat(world: World) -> None:
    world.open_link()
    first, world.connection = world.connection, world.add_connection(world.connection.company_id)
    world.store.commit(company_items.put_connection(world.connection.but(upstream=first.upstream)))
    world.connection = world.current()
    world.add_account("other")
    world.open_link()
    assert len(world.codat.companies) == 2
    assert world.current().hosted != world.current(first).hosted


@pytest.mark.parametrize(
    ("settings", "status"), [({"enabled": False}, 501), ({"codat": CodatFacts()}, 501), ({"bank_feeds": True}, 409)]
)
def test_what_cannot_be_started_is_explained(settings: dict[str, Any], status: int) -> None:
    """Without a source account, Codat would not ask for bank feeds."""
    world = World(**settings)
    assert world.browser.get(f"{world.base()}/start").status == status
    assert not world.codat.companies


def test_a_key_that_codat_rejects_is_no_matter_of_the_customers(world: World) -> None:
    world.keys.keys = ["not-a-key-of-codats"]
    refused = world.browser.get(f"{world.base()}/start")
    assert refused.status == 501
    assert "not-a-key" not in refused.body


def test_the_button_of_the_companys_page_may_lead_to_codat(world: World) -> None:
    """Browsers follow a form's redirects only to where the page says."""
    page = world.browser.get(f"/link/company/{world.connection.company_id}")
    assert "form-action 'self' https:" in page.headers["Content-Security-Policy"]
    response = world.browser.post(f"/link/company/{world.connection.company_id}", {})
    assert (response.status, response.path) == (303, f"{world.base()}/start")


# the return


def test_a_customer_who_gave_access_is_linked_and_goes_on_to_the_accounts(world: World) -> None:
    response = world.go_through_link()
    assert (response.status, response.path) == (302, f"{world.base()}/accounts")
    linked = world.current()
    company_id, connection_id = codat_ids(world)
    assert (linked.status, linked.token_set_id) == (ConnectionStatus.LINKED, CODAT_ACCESS)
    assert linked.tenant is not None
    assert (linked.tenant.id, linked.tenant.xero_connection_id) == (company_id, connection_id)
    assert (linked.tenant.name, linked.tenant.base_currency) == ("Harbour Bakery Ltd", "GBP")
    assert [event.payload["connection"]["upstream"] for event in world.events(CONNECTED)] == ["codat"]
    assert world.browser.get(response.location.removeprefix("https://gateway.example")).status == 200


def test_it_takes_no_place_at_our_own_xero_app(world: World) -> None:
    world.go_through_link()
    assert connection_limit.linked_count(world.store) == connection_limit.recount(world.store) == 0


def test_the_redirect_alone_is_not_believed(world: World) -> None:
    """A customer who knows the template says what Codat did not."""
    location = world.visit(world.open_link(), "cancelled")
    response = world.come_back(location, statusCode="200", errorMessage="")
    assert (response.status, world.current().status) == (409, ConnectionStatus.PENDING_AUTH)
    assert world.events(CONNECTED, FAILED) == []
    # It stays open: Codat may only be late.
    world.visit(world.open_link())
    assert world.come_back(location, statusCode="200").status == 302
    assert world.current().is_linked


@pytest.mark.parametrize(
    ("outcome", "status", "code", "message"),
    [
        ("cancelled", 403, "403", "User cancelled"),
        ("failed", 502, "500", "Unknown error occurred"),
        ("unsupported", 501, "501", "Not supported"),
    ],
)
def test_each_failure_has_its_page_its_event_and_its_state(
    world: World, outcome: str, status: int, code: str, message: str
) -> None:
    location = world.visit(world.open_link(), outcome)
    response = world.come_back(location)
    assert response.status == status
    [event] = world.events(FAILED)
    [fault] = event.payload["connection"]["dataConnectionErrors"]
    assert (fault["statusCode"], fault["errorMessage"]) == (code, message)
    assert world.current().status is ConnectionStatus.PENDING_AUTH
    assert world.come_back(location).status == 409, "it is used up"
    assert len(world.events(FAILED)) == 1
    world.go_through_link()
    assert world.current().is_linked


def test_with_a_redirect_url_of_the_platforms_a_failure_goes_there_with_codats_words(world: World) -> None:
    world.set_profile(redirect_url="https://app.example.com/done?code={statusCode}&error={errorMessage}&j={journey}")
    response = world.come_back(world.visit(world.open_link("?journey=7"), "cancelled"))
    assert response.location == "https://app.example.com/done?code=403&error=User%20cancelled&j=7"


def test_201_is_linked_if_codat_says_so_and_not_otherwise(world: World) -> None:
    location = world.visit(world.open_link(), "existing")
    assert world.come_back(location).status == 409
    world.visit(world.open_link())
    assert world.come_back(location).status == 302
    assert world.current().is_linked


@pytest.mark.parametrize(
    ("switch", "position"), [("one_time_passwords", True), ("error_texts", "fullStop"), ("feed_scope", "always")]
)
def test_what_codat_leaves_open_makes_no_difference(world: World, switch: str, position: Any) -> None:
    setattr(world.codat.behaviour, switch, position)
    assert world.come_back(world.visit(world.open_link(), "cancelled")).status == 403
    assert world.go_through_link().status == 302
    assert world.current().is_linked


def test_201_may_name_no_connection(world: World) -> None:
    location = world.visit(world.open_link(), "existing")
    world.visit(world.open_link())
    assert world.come_back(location, connectionId="").status == 302
    assert world.current().is_linked


def test_who_left_the_mapping_page_early_is_linked_all_the_same(world: World) -> None:
    """Codat has the connection as linked: that counts, and not how the customer left."""
    location = world.visit(world.open_link())
    assert world.come_back(location, statusCode="403", errorMessage="User cancelled").status == 302
    assert world.current().is_linked


def test_giving_up_a_reconnection_leaves_a_linked_connection_as_it_is(world: World) -> None:
    world.go_through_link()
    response = world.come_back(world.visit(world.open_link("?link.reconnect=1"), "cancelled"))
    assert response.status == 403
    assert world.current().is_linked
    assert world.events(FAILED, RECONNECTED) == []


# forged, replayed, foreign


def test_a_repeated_redirect_continues_in_its_browser_and_links_once(world: World) -> None:
    location = world.visit(world.open_link())
    for _ in range(3):
        assert world.come_back(location).path == f"{world.base()}/accounts"
    assert len(world.events(CONNECTED)) == 1
    assert world.come_back(location, statusCode="500").status == 409, "another answer is not the same"
    assert len(world.events(CONNECTED, FAILED)) == 1


def test_a_redirect_in_another_browser_is_refused(world: World) -> None:
    location = world.visit(world.open_link())
    world.browser = Browser(world.site)
    assert world.come_back(location).status == 403
    assert not world.current().is_linked


@pytest.mark.parametrize("state", ["", "made-up", "x" * 5000])
def test_a_redirect_with_no_state_of_ours_is_refused(world: World, state: str) -> None:
    location = world.visit(world.open_link())
    assert world.come_back(location, state=state).status == 400
    assert not world.current().is_linked


@pytest.mark.parametrize("name", ["companyId", "connectionId"])
@pytest.mark.parametrize("value", ["", "0f20c943-12d0-4800-9f6c-d218f62d494c", "another's"])
def test_a_redirect_about_what_was_not_started_is_refused_and_changes_nothing(
    world: World, name: str, value: str
) -> None:
    location = world.visit(world.open_link())
    assert world.come_back(location, **{name: value}).status == 400
    assert not world.current().is_linked
    assert world.events(CONNECTED, FAILED) == []
    assert world.come_back(location).status == 302, "the true one still counts"


def test_a_redirect_of_another_connection_of_ours_is_refused(world: World) -> None:
    foreign = world.visit(world.open_link())
    first, world.connection = world.connection, world.add_connection()
    world.store.commit(company_items.put_connection(world.connection.but(upstream=first.upstream)))
    world.connection = world.current()
    world.add_account("other")
    own = dict(httpx.QueryParams(urlsplit(world.visit(world.open_link(), "cancelled")).query))
    assert world.come_back(foreign, state=own["state"]).status == 400
    assert not world.current().is_linked


def test_a_redirect_after_an_hour_is_too_late(world: World) -> None:
    location = world.visit(world.open_link())
    world.advance(minutes=59)
    assert world.come_back(location).status == 302
    location = world.visit(world.open_link("?link.reconnect=1"))
    world.advance(minutes=60)
    assert world.come_back(location).status == 410


def test_a_code_of_xeros_is_no_answer_to_what_was_started_at_codat(world: World) -> None:
    state = parse_qs(urlsplit(world.open_link()).query)["feedlaneState"][0]
    assert world.call_back(state).status == 400
    assert world.site.vault.exchanged == []


def test_while_codat_does_not_answer_the_customer_can_try_the_same_again(world: World) -> None:
    location = world.visit(world.open_link())
    world.wire.lose = lambda request: request.method == "GET"
    for _ in range(2):
        assert world.come_back(location).status == 503
    assert [fault.reason for fault in world.current().errors] == ["consent-unfinished"]
    world.wire.lose = lambda request: False
    assert world.come_back(location).status == 302
    assert world.current().is_linked


def test_a_password_of_the_link_is_spent_with_the_link() -> None:
    world = World(link_passwords=True)
    world.add_account()
    assert world.browser.get(f"{world.base()}/start").status == 403
    passwords = issue_connection_passwords(world.store, world.now, new_secret, [world.connection])
    query = f"?otp={passwords[world.connection.id]}"
    assert world.come_back(world.visit(world.open_link(query), "cancelled")).status == 403
    assert world.come_back(world.visit(world.open_link(query))).status == 302
    assert Browser(world.site).get(f"{world.base()}/start{query}").status == 410


def test_a_link_that_is_opened_a_thousand_times_uses_up_no_calls_of_the_others(world: World) -> None:
    """Codat counts the calls of a day for all customers together."""
    location = world.visit(world.open_link(), "cancelled")
    statuses = [world.come_back(location, statusCode="200").status for _ in range(40)]
    assert statuses[-1] == 429
    assert [world.browser.get(f"{world.base()}/start").status for _ in range(40)][-1] == 429
    asked = len(world.codat.calls)
    assert world.browser.get(f"{world.base()}/start").status == 429
    assert world.come_back(location, statusCode="200").status == 429
    assert len(world.codat.calls) == asked < 200
    world.advance(hours=1)
    world.go_through_link()
    assert world.current().is_linked


def test_who_opens_a_link_again_and_again_keeps_nobody_from_coming_back(world: World) -> None:
    """The customer is at Codat meanwhile, where access was given."""
    location = world.visit(world.open_link())
    scanner = Browser(world.site)
    for _ in range(40):
        started = scanner.get(f"{world.base()}/start")
        if started.status == 302:
            scanner.get(f"/oauth/callback?state={parse_qs(urlsplit(started.location).query)['feedlaneState'][0]}")
    assert started.status == 429
    world.advance(minutes=2)
    assert world.come_back(location).status == 302
    assert world.current().is_linked


# the accounts


def test_what_was_mapped_at_codat_is_adopted_on_the_accounts_page(world: World) -> None:
    world.codat.link.maps = "newAccounts"
    response = world.go_through_link()
    assert world.account().mapping is None
    page = world.browser.get(response.path)
    assert page.status == 200
    mapped = world.account()
    assert mapped.mapping is not None
    assert mapped.mapping.feed_connection_id == f"{codat_ids(world)[1]}/main"
    world.run()
    assert world.account().status is SourceAccountStatus.CONNECTED


def test_without_the_page_a_follow_up_adopts_it(world: World) -> None:
    world.codat.link.maps = "newAccounts"
    world.go_through_link()
    world.run()
    assert world.account().status is SourceAccountStatus.CONNECTED


def test_accounts_are_mapped_on_our_page_too(world: World) -> None:
    response = world.go_through_link()
    form = {"formToken": world.form_token(response.path), "rows": "1"}
    row = {"source-1": "main", "target-1": fixed_id("harbour-current"), "start-1": "2026-05-01", "include-1": "1"}
    posted = world.browser.post(response.path, form | row)
    assert posted.status == 303, posted.body
    world.run()
    account = world.account()
    assert account.status is SourceAccountStatus.CONNECTED
    assert account.mapping is not None
    assert account.mapping.target_account_id == fixed_id("harbour-current")


def test_an_account_that_was_disconnected_here_is_not_mapped_again_by_itself(world: World) -> None:
    world.codat.link.maps = "newAccounts"
    path = world.go_through_link().path
    world.run()
    token = world.form_token(f"{path}/disconnect?account=main")
    form = {"formToken": token, "account": "main"}
    assert world.browser.post(f"{path}/disconnect", form).status == 303
    assert world.browser.get(path).status == 200
    assert world.account().mapping is None


# two at once


def opened_meanwhile(world: World, when: str, act: Callable[[], object]) -> None:
    """Does this once, just before Codat hears such a request."""
    real, left = world.wire.handle_request, [act]

    def handle(request: httpx.Request) -> httpx.Response:
        if left and f"{request.method} {request.url.path}" == when:
            left.pop()()
        return real(request)

    world.wire.handle_request = handle  # type: ignore[method-assign]


def test_of_two_starts_at_once_both_lead_to_the_same_place(world: World) -> None:
    """A double click: the second links before the first has written down where it leads to."""
    other = Browser(world.site)
    first, world.browser = world.browser, other
    opened_meanwhile(world, "POST /companies", lambda: world.go_through_link())
    world.browser = first
    location = first.get(f"{world.base()}/start").location
    connection = world.current()
    assert connection.tenant is not None
    assert connection.hosted is not None
    assert connection.hosted.company_id == connection.tenant.id
    assert connection.hosted.company_id in location
    world.browser = Browser(world.site)
    assert world.go_through_link().status == 302


def test_two_connections_that_are_opened_at_once_do_not_adopt_the_same_company(world: World) -> None:
    """Each would take the other's pushes for its own."""
    world.client.call(
        "", "POST", "/companies",
        content=f'{{"name": "Bakery", "tags": {{"feedlane": "{world.connection.company_id}"}}}}'.encode(),
    )  # fmt: skip
    [company_id] = world.codat.companies
    first, second = world.connection, world.add_connection(world.connection.company_id)
    world.store.commit(company_items.put_connection(second.but(upstream=first.upstream)))
    world.connection = second
    world.add_account("other")

    def open_second() -> None:
        world.connection = second
        world.open_link()
        world.connection = first

    world.connection = first
    opened_meanwhile(world, f"PATCH /companies/{company_id}", open_second)
    world.open_link()
    places = [world.current(connection).hosted for connection in (first, second)]
    assert None not in places
    assert places[0] != places[1]
