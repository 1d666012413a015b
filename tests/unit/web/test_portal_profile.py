"""The portal's profile: shown, saved, and refused with the broken rule."""

from __future__ import annotations

import pytest

from feedlane.settings import items as settings_items
from tests.fakes.browser import PageResponse
from tests.unit.web.portal import signed_in
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    return signed_in()


def _profile(world: World, **fields: str) -> PageResponse:
    form = {"name": "Ledgerly", "redirect_url": "", "logo_url": "", "icon_url": ""} | fields
    token = world.form_token("/portal/profile")
    return world.browser.post(
        "/portal/profile", {"formToken": token, "white_list_urls": "", "allowed_origins": ""} | form
    )


def test_the_profile_is_shown_and_saved(world: World) -> None:
    _profile(
        world,
        name="Harbour",
        redirect_url="https://{tenant}.example.com/done?s={statusCode}",
        white_list_urls="https://a.example.com\r\n\r\n https://b.example.com",
        allowed_origins="https://app.example.com",
        colour="#0B6E4F",
        support_address="help@example.com",
    )
    saved = settings_items.profile(world.store)
    assert (saved.name, saved.white_list_urls) == ("Harbour", ("https://a.example.com", "https://b.example.com"))
    assert saved.allowed_origins == ("https://app.example.com",)
    assert (saved.colour, saved.support_address) == ("#0b6e4f", "help@example.com")
    body = world.browser.get("/portal/profile").body
    assert "https://a.example.com\nhttps://b.example.com</textarea>" in body


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Enter a name of 1 to 255 characters"),
        ("redirect_url", "http://example.com", "Redirect URL must be an https URL"),
        ("redirect_url", "https://{x}.example.com", "Redirect URL has a placeholder in its host"),
        ("colour", "blue", "Colour must be a # and six hexadecimal digits"),
        ("colour", "#ffd400", "Colour is too light to be read on white or under white text (1.4 to 1"),
        ("support_address", "ring us", "Support address must be an e-mail address or an https URL"),
        ("allowed_origins", "https://example.com/path", "Web pages that may call the API must be origins"),
    ],
)
def test_a_profile_that_breaks_a_rule_is_not_saved(world: World, field: str, value: str, message: str) -> None:
    before = settings_items.profile(world.store)
    response = _profile(world, **{field: value})
    assert response.status == 422
    assert message in response.body
    assert settings_items.profile(world.store) == before
