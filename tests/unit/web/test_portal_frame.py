"""What every page of the portal has: navigation without dead ends, its own error pages, and forms that lose nothing."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from cli.api_keys import group
from cli.files.push import push
from feedlane.errors import Unavailable
from feedlane.pushes import api_door
from feedlane.web.request import Request
from feedlane.web.response import Response
from tests.unit.web.portal import signed_in
from tests.worlds.web import API_KEY, World

PROFILE = {"name": "Harbour", "redirect_url": "not an address", "logo_url": "", "icon_url": "", "allowed_origins": "x"}


@pytest.fixture
def world() -> World:
    return signed_in()


def test_the_commands_about_keys_are_ones_that_the_command_line_takes(world: World) -> None:
    commands = re.findall(r"python -m cli api-key ([^<]+)</code>", world.browser.get("/portal/keys").body)
    assert [command.split()[0] for command in commands] == ["create", "list", "delete"]
    for name, *arguments in (shlex.split(command) for command in commands):
        group.commands[name].make_context(name, arguments)  # raises UsageError


def test_who_has_no_key_yet_is_told_how_the_first_one_is_made() -> None:
    shown = re.search(r"python -m cli api-key ([^<]+)</code>", World().browser.get("/portal/sign-in").body)
    assert shown
    name, *arguments = shlex.split(shown[1])
    group.commands[name].make_context(name, arguments)  # raises UsageError


def test_no_entry_of_the_navigation_leads_to_nothing(world: World) -> None:
    links = set(re.findall(r'<a href="(/portal[^"]*)"', world.browser.get("/portal").body))
    assert {"/portal/companies", "/portal/feeds", "/portal/holds", "/portal/files", "/portal/webhooks"} <= links
    assert {"/portal/activity", "/portal/set-up", "/portal/settings", "/portal/keys", "/portal/profile"} <= links
    for link in links:
        body = world.browser.get(link).body
        assert 'aria-current="page"' in body, link


def _take(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the command line makes of a command that pushes a file. Raises `UsageError`."""
    monkeypatch.chdir(folder)
    (folder / "transactions.csv").touch()
    python, _, module, name, *arguments = shlex.split(command)
    assert (python, module, name) == ("python", "cli", "push")
    given = ["--api-url", "https://feeds.example", "--api-key", "key"]
    return dict(push.make_context("push", [*arguments, *given]).params)


def test_the_page_of_a_feed_has_the_command_that_pushes_a_file_to_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.add_account("it's mine")
    body = world.browser.get(f"/portal/feeds/{account.connection_id}/it%27s%20mine").body
    shown = re.search(r'data-copy="the command">([^<]+)<', body)
    assert shown
    taken = _take(html.unescape(shown[1]), tmp_path, monkeypatch)
    assert (taken["company"], taken["connection"], taken["account"]) == (
        account.company_id, account.connection_id, "it's mine",
    )  # fmt: skip


def test_what_the_page_of_files_shows_to_be_sent_is_taken(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until files can be sent from it, it has a command, and samples for a producer."""
    samples = re.findall(r"<pre[^>]*><code>(.*?)</code>", world.browser.get("/portal/files").body, re.DOTALL)
    pushed, curl, message = map(html.unescape, samples)
    _take(pushed, tmp_path, monkeypatch)
    command = shlex.split(curl)
    assert command[3].startswith("http")
    assert command[3].endswith("/push/bankAccounts/ACCOUNT_ID/bankTransactions")
    world.link()
    world.add_account("ACCOUNT_ID")
    mapped = {"rows": "1", "source-1": "ACCOUNT_ID", "target-1": "x-1", "start-1": "2026-05-01", "include-1": "1"}
    path = f"{world.base()}/accounts"
    world.browser.post(path, {"formToken": world.form_token(path)} | mapped)
    place = (world.connection.company_id, world.connection.id, "ACCOUNT_ID")
    errors, _ = api_door.validate(world.store, world.now, *place, command[-1])
    assert errors == []
    ids = {"COMPANY_ID": world.connection.company_id, "CONNECTION_ID": world.connection.id, "ACCOUNT_ID": "card-1"}
    for name, id in ids.items():
        message = message.replace(name, id)
    schema = json.loads((Path(__file__).parents[3] / "docs" / "queue-message.schema.json").read_text())
    jsonschema.validate(json.loads(message), schema)


def test_trouble_is_told_in_the_portals_frame_with_the_id_of_the_request(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = {"requestContext": _context("/portal/nowhere")}
    response = world.browser.get("/portal/nowhere", event=event)
    assert response.status == 404
    assert "Back to overview" in response.body
    assert "request-7" in response.body
    assert 'aria-label="Portal"' in response.body
    assert "Xero’s own website" not in response.body


def test_trouble_is_told_to_strangers_without_the_navigation(world: World) -> None:
    world.browser.jar.clear()
    response = world.browser.get("/portal/nowhere")
    assert (response.status, 'aria-label="Portal"' in response.body) == (404, False)


def test_trouble_of_the_table_is_told_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary-inside")

    monkeypatch.setattr(world.table, "get", broken)
    response = world.browser.get("/portal")
    assert response.status == 500
    assert "Back to overview" in response.body
    assert "canary" not in response.body


def test_what_is_left_out_of_a_page_about_trouble_is_logged_by_its_kind_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise Unavailable("canary-inside")

    monkeypatch.setattr(world.table, "get", broken)
    assert world.browser.get("/portal").status == 503
    told = {(record.message, vars(record)["kind"]) for record in caplog.records if record.levelname == "WARNING"}
    assert told == {
        ("trouble is told without the navigation", "Unavailable"),
        ("trouble is told without the platform's name", "Unavailable"),
    }
    assert "canary" not in str([vars(record) for record in caplog.records])


def test_signing_in_leads_to_where_one_wanted_to_go() -> None:
    world = World()
    response = world.browser.get("/portal/holds?q=a%20b&after=hold-1")
    assert response.path == "/portal/sign-in"
    assert response.query == {"next": "/portal/holds?q=a+b&after=hold-1"}
    body = world.browser.get(response.location).body
    [wanted] = re.findall(r'name="next" value="([^"]*)"', body)
    response = world.browser.post("/portal/sign-in", {"key": API_KEY, "next": wanted.replace("&amp;", "&")})
    assert response.location.endswith("/portal/holds?q=a+b&after=hold-1")


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "https://evil.example",
        "//evil.example",
        "/link/x",
        "/portalevil",
        "/portal\\evil",
        "/portal/sign-out",
        "/portal/a\nb",
    ],
)  # fmt: skip
def test_signing_in_leads_to_no_other_place(wanted: str) -> None:
    response = World().browser.post("/portal/sign-in", {"key": API_KEY, "next": wanted})
    assert (response.status, response.path, response.query) == (303, "/portal", {})


def test_a_form_whose_session_ended_is_shown_again_filled_after_signing_in(world: World) -> None:
    world.browser.jar.clear()
    asked = world.browser.post("/portal/profile", PROFILE | {"formToken": "of-the-ended-session"})
    assert asked.status == 401
    [entries] = re.findall(r'name="entries" value="([^"]*)"', asked.body)
    [wanted] = re.findall(r'name="next" value="([^"]*)"', asked.body)
    sign_in = {"next": wanted, "entries": entries.replace("&amp;", "&")}
    wrong = world.browser.post("/portal/sign-in", sign_in | {"key": "wrong"})
    assert entries in wrong.body, "a wrong key loses nothing"
    shown = world.browser.post("/portal/sign-in", sign_in | {"key": API_KEY})
    assert shown.status == 200
    assert 'value="not an address"' in shown.body
    assert "Nothing has been saved yet" in shown.body
    assert world.browser.get("/portal").status == 200, "and one is signed in"


def test_secrets_that_were_entered_are_put_into_no_other_page(world: World) -> None:
    world.browser.jar.clear()
    form = {"app_name": "Feeds", "client_secret": "canary-1", "second_secret": "canary-2", "formToken": "canary-3"}
    body = world.browser.post("/portal/settings/app", form).body
    assert "Feeds" in body
    assert "canary" not in body


def test_a_form_of_an_earlier_session_is_shown_again_filled(world: World) -> None:
    response = world.browser.post("/portal/profile", PROFILE | {"formToken": "of-an-earlier-session"})
    assert response.status == 403
    assert 'value="not an address"' in response.body
    assert "Nothing has been saved yet" in response.body


def test_a_button_whose_session_ended_leads_back_to_its_page(world: World) -> None:
    world.browser.jar.clear()
    response = world.browser.post("/portal/holds/hold-1/release", {})
    assert (response.path, response.query) == ("/portal/sign-in", {"next": "/portal/holds"})


def test_all_that_is_wrong_with_a_form_is_said_at_once_on_top_and_beside_the_field(world: World) -> None:
    token = world.form_token("/portal/profile")
    body = world.browser.post("/portal/profile", PROFILE | {"name": "", "formToken": token}).body
    assert "<title>Error: Profile" in body
    summary = body.split('role="alert"')[1].split("</div>")[0]
    assert re.findall(r'<a href="#(\w+)">', summary) == ["name", "allowed_origins", "redirect_url"]
    for field in ("name", "redirect_url", "allowed_origins"):
        [tag] = re.findall(rf'<(?:input|textarea) id="{field}"[^>]*>', body)
        assert f'aria-invalid="true" aria-describedby="{field}-help {field}-error"' in tag
        assert f'id="{field}-error"' in body
    assert 'value="not an address"' in body


def test_the_address_without_a_path_leads_to_the_portal_and_the_icon_is_static() -> None:
    world = World()
    assert world.browser.get("/").path == "/portal"
    icon = world.browser.get("/favicon.ico")
    assert (icon.status, icon.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "max-age" in icon.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [("gzip, deflate, br", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_a_page_is_compressed_if_the_browser_takes_that(accepted: str, is_compressed: bool) -> None:
    request = Request("GET", "/portal", "https://x.example", headers={"accept-encoding": accepted})
    text = "é" * 2_000
    answer = Response(200, text).as_gateway_response(request)
    assert answer["isBase64Encoded"] == is_compressed
    assert answer["headers"].get("Content-Encoding") == ("gzip" if is_compressed else None)
    assert answer["headers"]["Vary"] == "Accept-Encoding"
    body = gzip.decompress(base64.b64decode(answer["body"])).decode() if is_compressed else answer["body"]
    assert body == text
    assert Response(200, "short").as_gateway_response(request)["isBase64Encoded"] is False
    head = Response(200, text).as_gateway_response(replace(request, is_head=True))
    assert (head["body"], head["isBase64Encoded"]) == ("", False)


def _context(path: str) -> dict[str, object]:
    http = {"method": "GET", "path": path, "sourceIp": "203.0.113.9"}
    return {"domainName": "gateway.example", "stage": "$default", "http": http, "requestId": "request-7"}
