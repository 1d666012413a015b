"""The portal with an operator signed in."""

from __future__ import annotations

from tests.worlds.web import API_KEY, World


def signed_in() -> World:
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    return world
