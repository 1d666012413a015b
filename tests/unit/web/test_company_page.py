"""The company's own link: what it says before the customer begins, and the start from inside Xero."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from feedlane.web.brand import brand_style, frame_of
from tests.builders import NOW
from tests.worlds.web import World


def _page(world: World) -> str:
    response = world.browser.get(f"/link/company/{world.connection.company_id}")
    assert response.status == 200
    return response.body


def test_it_says_what_is_shared_and_leads_to_xero() -> None:
    body = _page(World())
    assert "What you share" in body
    assert body.count("<li>") == 4
    assert ">Connect to Xero</a>" in body


@pytest.mark.parametrize("setting", [{"enabled": False}, {"client_id": ""}])
@pytest.mark.parametrize("has_connection", [True, False])
def test_it_says_at_once_that_xero_is_off(setting: dict[str, Any], has_connection: bool) -> None:
    world = World(**setting)
    if not has_connection:
        world.store.commit(company_items.remove_connection(world.connection))
    body = _page(world)
    assert "Ledgerly has not enabled its Xero integration yet." in body
    assert "Connect to Xero</a>" not in body
    assert "Connect to Xero</button>" not in body


@pytest.mark.parametrize("has_connection", [True, False])
def test_it_says_at_once_that_the_limit_is_reached_and_reports_nothing(has_connection: bool) -> None:
    world = World(connection_limit=0)
    if not has_connection:
        world.store.commit(company_items.remove_connection(world.connection))
    body = _page(world)
    assert "as many organisations as Xero currently allows" in body
    assert "Connect to Xero</a>" not in body
    assert "Connect to Xero</button>" not in body
    assert not world.events()


def test_a_connected_company_is_managed_whatever_the_limit() -> None:
    world = World()
    world.link()
    settings = settings_items.settings(world.store)
    world.store.commit(
        settings_items.put_settings(settings.but(connection_limit=connection_limit.linked_count(world.store)))
    )
    body = _page(world)
    assert ">Manage</a>" in body
    assert "currently allows" not in body


@pytest.mark.parametrize("status", [ConnectionStatus.UNLINKED, ConnectionStatus.DEAUTHORIZED])
def test_what_has_ended_offers_to_reconnect(status: ConnectionStatus) -> None:
    world = World()
    world.link()
    world.store.commit(company_items.put_connection(world.current().but(status=status)))
    assert ">Reconnect to Xero</a>" in _page(world)


def test_privacy_terms_and_support_are_at_the_foot() -> None:
    world = World(privacy_policy_url="https://example.com/privacy", terms_url="https://example.com/terms")
    world.set_profile(support_address="help@example.com")
    body = _page(world)
    assert '<a href="https://example.com/privacy">Privacy policy</a>' in body
    assert '<a href="https://example.com/terms">Terms</a>' in body
    assert '<a href="mailto:help@example.com">Help and support</a>' in body


def test_the_platforms_colour_is_allowed_by_the_pages_policy_and_no_other_style_is() -> None:
    world = World()
    plain = world.browser.get("/link/nowhere").headers["Content-Security-Policy"]
    world.set_profile(colour="#0b6e4f")
    response = world.browser.get("/link/nowhere")
    assert "--accent:#0b6e4f" in response.body
    assert response.headers["Content-Security-Policy"].count("sha256-") == plain.count("sha256-") + 1
    portal = world.browser.get("/portal/sign-in").body
    assert "--accent:#0b6e4f" not in portal


@pytest.mark.parametrize("colour", ["", "red", "#0b6e4f}body{display:none", "</style>"])
def test_nothing_but_a_colour_becomes_a_style(colour: str) -> None:
    assert brand_style(colour) == ""


@pytest.mark.parametrize("colour", ["#000000", "#0b6e4f", "#3157d5", "#b3261e", "#767676"])
def test_in_dark_mode_the_colour_can_be_seen(colour: str) -> None:
    from feedlane.settings.colours import contrast

    style = brand_style(colour).partition("@media")[2]
    accent, on_accent = (style.split(f"{name}:")[1][:7] for name in ("--accent", "--on-accent"))
    assert contrast(accent, "#181c25") >= 4.5
    assert contrast(on_accent, accent) >= 4.5


def test_without_settings_the_frame_has_no_links_to_policies() -> None:
    assert frame_of(Profile(name="Acme"))["links"] == ()


# a start from inside Xero


def test_a_start_from_xero_leads_through_the_platforms_sign_in() -> None:
    world = World()
    world.set_profile(sign_in_url="https://app.example.com/login?next=%2Fbanks&source=other")
    response = world.browser.get("/link/from-xero?next=https://evil.example", headers={"accept-language": "fr"})
    assert response.status == 302
    assert response.location == "https://app.example.com/login?next=%2Fbanks&source=xero&lang=fr"


def test_without_a_sign_in_url_a_start_from_xero_says_where_to_go() -> None:
    response = World().browser.get("/link/from-xero")
    assert response.status == 404
    assert "Sign in at Ledgerly as you usually do" in response.body


def test_a_sign_in_url_has_to_be_safe() -> None:
    world = World()
    profile = Profile(name="Acme", sign_in_url="javascript:alert(1)")
    with pytest.raises(Exception, match="signInUrl"):
        settings_changes.change_profile(world.ports, NOW, profile)
