"""Link's final redirect: Codat's placeholders, percent-encoded, and never to a host that is not allowed."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.errors import Invalid
from feedlane.settings import changes as settings_changes
from feedlane.settings.settings import Profile
from feedlane.web.link.redirects import CANCELLED, DONE, destination_url, platform_parameters
from tests.worlds.base import NOW
from tests.worlds.web import World


def _redirect_url(template: str, *allowed: str, **parameters: str) -> str | None:
    profile = Profile(redirect_url=template, white_list_urls=allowed)
    return destination_url(profile, DONE, "c-1", "k-1", "Acme & Sons", parameters)


def test_every_placeholder_of_codat_is_filled() -> None:
    names = "companyId connectionId integrationId sourceId platform platformName sourceType statusCode errorMessage"
    template = "https://x.example/?" + "&".join(f"{name}={{{name}}}" for name in names.split())
    filled = destination_url(Profile(redirect_url=template), CANCELLED, "c-1", "k-1")
    assert filled == (
        "https://x.example/?companyId=c-1&connectionId=k-1&integrationId=0f20c943-12d0-4800-9f6c-d218f62d494c"
        "&sourceId=8a156a5a-39cb-4f9d-856e-76ef9b9a9607&platform=gbol&platformName=Xero&sourceType=Accounting"
        "&statusCode=403&errorMessage=User%20cancelled"
    )


@pytest.mark.parametrize(
    ("template", "parameters", "expected"),
    [
        ("https://x/{journey}/ok", {}, "https://x//ok"),
        ("https://x/{journey}/ok", {"journey": "a b/c"}, "https://x/a%20b%2Fc/ok"),
        ("https://x/?n={data.company.companyName}", {}, "https://x/?n=Acme%20%26%20Sons"),
        ("https://x/?s={statusCode}", {"statusCode": "999"}, "https://x/?s=200"),
        ("https://x/?e={errorMessage}&c={Companyid}", {}, "https://x/?e=&c="),
        ("http://localhost:3000/done", {}, "http://localhost:3000/done"),
        ("", {}, None),
        ("http://x.example/done", {}, None),
        ("javascript:alert(1)", {}, None),
        ("{to}", {"to": "https://evil.example"}, None),
        ("https://x.example{to}", {"to": ".evil.example"}, None),
    ],
)
def test_templates(template: str, parameters: dict[str, str], expected: str | None) -> None:
    assert _redirect_url(template, **parameters) == expected


def test_a_placeholder_in_the_host_leads_to_listed_hosts_only() -> None:
    template = "https://{brand}.example.com/done"
    assert _redirect_url(template, "https://one.example.com", brand="one") == "https://one.example.com/done"
    assert _redirect_url(template, "https://one.example.com", brand="two") is None
    assert _redirect_url(template, "http://one.example.com", brand="one") is None
    assert _redirect_url("https://{companyId}.example.com", "https://c-1.example.com") is None


def test_links_own_parameters_and_too_much_are_not_remembered() -> None:
    query = {"journey": "1", "otp": "x", "link.otp": "x", "link.reconnect": "1", "long": "x" * 1000}
    assert platform_parameters(query) == {"journey": "1"}
    assert len(platform_parameters({f"p{number}": "1" for number in range(100)})) == 20


def test_finish_sends_the_customer_back_with_the_parameters_of_the_start() -> None:
    world = World()
    world.set_profile(redirect_url="https://app.example.com/{journey}?s={statusCode}&o={data.company.companyName}")
    world.call_back(world.start(query="?journey=onboarding"))
    response = world.browser.get(f"{world.base()}/finish")
    assert (response.status, response.location) == (302, "https://app.example.com/onboarding?s=200&o=Acme%20Ltd")


def test_finish_without_a_redirect_url_shows_the_built_in_page() -> None:
    world = World()
    world.link()
    response = world.browser.get(f"{world.base()}/finish")
    assert response.status == 200
    assert "You are connected to Xero" in response.body
    assert "Acme Ltd" in response.body


def test_the_company_link_makes_the_first_connection_and_no_second_one() -> None:
    world = World()
    world.store.commit(company_items.remove_connection(world.connection))
    url = f"/link/company/{world.connection.company_id}"
    assert "Connect to Xero</button>" in world.browser.get(url).body
    first, second = world.browser.post(url, {}), world.browser.post(url, {})
    assert first.location == second.location
    assert len(company_items.connections(world.store, world.connection.company_id)) == 1
    assert world.browser.get(first.location).location.startswith("https://login.xero.test/")


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("https://x.example/{companyId", "pairs of braces"),
        ("https://x.example/companyId}", "pairs of braces"),
        ("{to}", "https URL"),
        ("https://x.example\\{to}", "https URL"),
        ("https://x.example:port/", "https URL"),
        ("https://{companyId}.example.com", "only placeholders of your own"),
        ("https://{brand}.example.com", "whiteListUrls"),
    ],
)
def test_a_template_that_could_never_be_filled_is_refused_when_it_is_saved(template: str, rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        settings_changes.change_profile(World().ports, NOW, Profile(name="Acme", redirect_url=template))


@pytest.mark.parametrize(
    "origin", ["https://App.example.com", "https://x.example:443", "https://x.example/", "null", "*"]
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(Invalid, match="as a browser sends them"):
        settings_changes.change_origins(World().ports, NOW, [origin])
