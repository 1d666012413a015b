"""The event of a change to the settings, the profile or the app's keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from feedlane.companies.events import build_event
from feedlane.events import event as event_types
from feedlane.events.event import Event, camel_case
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT

# The event names these, but does not show their values.
_SETTINGS_WITHOUT_VALUES = frozenset({"client_id", "client_secret_ending", "second_secret_ending", "codat", "version"})


def settings_changed(ports: Ports, changed: Mapping[str, Any], now: datetime) -> Event:
    """`changed`: the new values of the settings that changed, by the names of their fields."""
    shown = {camel_case(name): value for name, value in changed.items() if name not in _SETTINGS_WITHOUT_VALUES}
    payload = {"changed": [camel_case(name) for name in sorted(changed)], "settings": shown}
    return build_event(ports, event_types.SETTINGS_CHANGED, APP_SUBJECT, payload, None, now)
