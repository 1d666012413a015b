"""Events in words: what was changed and which account it was, as the pages call them."""

from __future__ import annotations

import re

from feedlane.events.event import ALL_TYPES, camel_case
from feedlane.settings import changes
from feedlane.settings.settings import Profile, Settings
from feedlane.web.portal.webhooks.event_words import setting_words, type_groups
from tests.unit.web.portal import signed_in


def test_each_setting_is_named_in_words_and_not_by_the_name_of_its_field() -> None:
    named = {name: setting_words(camel_case(name)) for name in (*Settings.model_fields, *Profile.model_fields)}
    assert not [words for words in named.values() if re.search("[a-z][A-Z]|_", words)]
    assert (named["connection_limit"], named["client_secret_ending"]) == ("connection limit", "client secret")


def test_the_activity_says_what_was_changed_in_words() -> None:
    world = signed_in()
    changes.change_settings(world.site.ports, world.site.clock(), {"connection_limit": 50})
    assert "</a>: connection limit" in world.browser.get("/portal/activity").body


def test_the_activity_names_the_account() -> None:
    """Two accounts of a company were connected by two lines that were the same."""
    world = signed_in()
    world.add_account("acc-1", account_name="Payroll")
    world.link()
    form = {"rows": "1", "source-1": "acc-1", "target-1": "x-1", "start-1": "2026-05-01", "include-1": "1"}
    path = f"{world.base()}/accounts"
    world.browser.post(path, {"formToken": world.form_token(path)} | form)
    assert "</a>: Payroll" in world.browser.get("/portal/activity").body


def test_every_type_is_in_a_group_and_has_words() -> None:
    groups = type_groups(ALL_TYPES)
    assert sorted(type for group in groups for type, _ in group.types) == sorted(ALL_TYPES)
    assert not [type for group in groups for type, words in group.types if words == type]
    assert type_groups(["no.such.event"])[0].types == [("no.such.event", "no.such.event")]
