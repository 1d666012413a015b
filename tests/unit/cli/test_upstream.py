"""`python -m cli upstream`: what it asks the API for, and that no key is printed."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import http_api
from cli.__main__ import cli

KEY = "canary-codat-key-one"
ANSWERS: dict[tuple[str, str], Any] = {
    ("GET", "/integrations/gbol/settings"): {"upstream": "xero"},
    ("GET", "/companies/own"): {"upstream": "codat"},
    ("GET", "/companies/other"): {"upstream": None},
}
KEYS = {"codatKey": "xxxxxxxxxxxx-one", "secondCodatKey": None, "codatWebhookSecret": None, "message": ""}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def ask(self: Any, method: str, path: str, body: Any = None) -> Any:
        calls.append((method, path, body))
        return ANSWERS.get((method, path), KEYS)

    monkeypatch.setattr(http_api.HttpApi, "ask", ask)
    return calls


def run(*arguments: str, typed: str = "") -> Result:
    options = ["--api-url", "https://feeds.example.com", "--api-key", "fl_key"]
    return CliRunner().invoke(cli, ["upstream", *arguments, *options], input=typed)


@pytest.mark.parametrize(
    ("arguments", "shown"), [((), "xero"), (("--company", "own"), "codat"), (("--company", "other"), "xero")]
)
def test_it_shows_what_applies(asked: list[Any], arguments: tuple[str, ...], shown: str) -> None:
    assert run("show", *arguments).output.strip() == shown


def test_it_chooses_for_the_deployment_and_for_a_company(asked: list[Any]) -> None:
    assert run("choose", "codat").exit_code == 0
    assert run("choose", "codat", "--company", "own").exit_code == 0
    assert run("choose", "default", "--company", "own").exit_code == 0
    assert asked == [
        ("PUT", "/integrations/gbol/settings", {"upstream": "codat"}),
        ("PATCH", "/companies/own", {"upstream": "codat"}),
        ("PATCH", "/companies/own", {"upstream": None}),
    ]
    assert run("choose", "default").exit_code != 0
    assert run("choose", "plaid").exit_code != 0


def test_it_chooses_the_version_of_feed_connections(asked: list[Any]) -> None:
    assert run("feed-connections", "2").exit_code == 0
    assert asked == [("PUT", "/integrations/gbol/settings", {"feedConnections": 2})]
    assert run("feed-connections", "3").exit_code != 0


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (None, "upstream is codat"),
        ("stopping", "in flight: k/main"),
        ("ending", "by itself"),
        ("awaitingConsent", "at https://feeds.example.com/link"),
    ],
)
def test_it_changes_a_connection_and_says_what_is_waited_for(asked: list[Any], state: str | None, shown: str) -> None:
    under_way = state and {"to": "codat", "state": state}
    link = "https://feeds.example.com/link"
    path = "/companies/c/connections/k/upstream"
    ANSWERS["POST", path] = {"upstream": "codat", "linkUrl": link, "upstreamChange": under_way}
    ANSWERS["GET", "/feeds?connectionId=k&pageSize=100"] = {
        "results": [{"id": "k/main", "inFlight": {"number": 1}}, {"id": "k/savings", "inFlight": None}]
    }
    result = run("change", "c", "k", "codat", "--yes")
    assert result.exit_code == 0, result.output
    assert shown in result.output
    assert asked[0] == ("POST", path, {"upstream": "codat"})
    assert run("change", "c", "k", "plaid", "--yes").exit_code != 0


def test_a_key_is_asked_for_unseen_and_shown_by_its_ending(asked: list[Any]) -> None:
    result = run("codat-key", typed=f"{KEY}\n")
    assert asked == [("PUT", "/integrations/gbol/credentials/codatKey", {"apiKey": KEY})]
    assert "xxxxxxxxxxxx-one" in result.output
    assert KEY not in result.output
    assert run("drop-codat-key", "second").exit_code == 0
    assert run("codat-webhook-secret", typed="whsec_AAAA\n").exit_code == 0
    assert asked[1:] == [
        ("DELETE", "/integrations/gbol/credentials/secondCodatKey", None),
        ("PUT", "/integrations/gbol/credentials/codatWebhookSecret", {"webhookSecret": "whsec_AAAA"}),
    ]
