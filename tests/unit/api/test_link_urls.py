"""Links in the API's answers have a new one-time password each time, if the settings ask for it."""

from __future__ import annotations

import pytest

from feedlane.ids import fingerprint
from tests.unit.api.conftest import Call
from tests.worlds.api import World

SETTINGS = "/integrations/gbol/settings"


@pytest.fixture
def connection_path(call: Call, ids: dict[str, str]) -> str:
    return f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"


def _password(link: str) -> str:
    return link.partition("otp=")[2]


def test_by_default_links_have_no_password(call: Call, connection_path: str) -> None:
    assert call("GET", SETTINGS).body["linkPasswords"] is False
    assert call("GET", connection_path).body["linkUrl"] == f"https://feeds.example.com/link{connection_path}/start"


def test_each_answer_about_a_connection_has_a_new_password(call: Call, world: World, connection_path: str) -> None:
    call("PUT", SETTINGS, {"linkPasswords": True})
    path = connection_path.rpartition("/")[0]
    links = [call("GET", connection_path).body["linkUrl"] for _ in range(2)]
    links += [connection["linkUrl"] for connection in call("GET", path).body["results"]]
    links.append(call("POST", path, {"platformKey": "gbol"}).body["linkUrl"])
    company = call("GET", connection_path.partition("/connections")[0]).body
    links += [connection["linkUrl"] for connection in company["dataConnections"]]
    passwords = {_password(link) for link in links}
    assert len(passwords) == len(links)
    stored = {pk for pk, _ in world.table.items}
    assert all(f"PASSWORD#{fingerprint(password)}" in stored for password in passwords)
    assert not any(password in str(world.table.items) for password in passwords)


def test_a_companys_link_has_one_too_and_long_lists_have_none(call: Call, ids: dict[str, str]) -> None:
    call("PUT", SETTINGS, {"linkPasswords": True})
    assert _password(call("GET", f"/companies/{ids['company_id']}").body["redirect"])
    [listed] = call("GET", "/companies").body["results"]
    assert _password(listed["redirect"]) == ""
    assert _password(listed["dataConnections"][0]["linkUrl"]) == ""


@pytest.mark.parametrize(("name", "default"), [("pkce", True), ("linkPasswords", False)])
def test_both_have_their_defaults_and_tell_of_their_change(call: Call, world: World, name: str, default: bool) -> None:
    assert call("GET", SETTINGS).body[name] is default
    assert call("PUT", SETTINGS, {name: not default}).body[name] is not default
    assert world.event_types == ["settings.changed"]
    refused = call("PUT", SETTINGS, {name: "yes"})
    assert refused.status == 400
    assert refused.invalid_fields == [name]
