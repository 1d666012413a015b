"""The profile and the allowed origins are settings too: each change of them has one event."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.api.conftest import Call
from tests.worlds.api import World

PROFILE = {
    "name": "Ledgerly",
    "redirectUrl": "https://app.example.com/linked",
    "logoUrl": "https://app.example.com/logo.svg",
    "iconUrl": None,
    "colour": None,
    "supportAddress": None,
    "whiteListUrls": [],
}


def _payloads(world: World) -> list[Any]:
    events = [item for key, item in world.table.items.items() if key[0].startswith("EVENT#")]
    assert {event["type"] for event in events} <= {"settings.changed"}
    return [json.loads(event["payload"]) for event in events]


def test_a_change_of_the_profile_is_told_with_what_is_new(call: Call, world: World) -> None:
    assert call("PUT", "/profile", PROFILE).status == 200
    [payload] = _payloads(world)
    assert payload["changed"] == ["logoUrl", "name", "redirectUrl"]
    assert payload["settings"] == {name: PROFILE[name] for name in payload["changed"]}


def test_a_change_of_the_allowed_origins_is_told(call: Call, world: World) -> None:
    call("POST", "/corsSettings", {"allowedOrigins": ["https://app.example.com"]})
    assert _payloads(world) == [
        {"changed": ["allowedOrigins"], "settings": {"allowedOrigins": ["https://app.example.com"]}}
    ]


def test_the_same_profile_again_is_no_change(call: Call, world: World) -> None:
    for _ in range(2):
        call("PUT", "/profile", PROFILE)
        call("POST", "/corsSettings", {"allowedOrigins": []})
    assert len(_payloads(world)) == 1


def test_a_profile_that_is_refused_is_not_told(call: Call, world: World) -> None:
    assert call("PUT", "/profile", PROFILE | {"logoUrl": "ftp://app.example.com"}).status == 400
    assert _payloads(world) == []
