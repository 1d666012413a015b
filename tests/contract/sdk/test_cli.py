"""The command line against the handler, and against a table."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from codat_bankfeeds import CodatBankFeeds

from cli import api_keys
from cli.__main__ import cli
from feedlane.hold import Hold, Scope
from feedlane.store import ledger
from tests.contract.sdk.api_server import ApiServer
from tests.contract.sdk.stand_ins import KEY, StandInParts
from tests.contract.sdk.test_bank_feeds import create_account, map_account
from tests.contract.sdk.test_edges import NO_FEEDS


@pytest.fixture
def run(server: ApiServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FEEDLANE_API_URL", server.url)
    monkeypatch.setenv("FEEDLANE_API_KEY", KEY)
    return lambda *words: CliRunner().invoke(cli, words)


def test_feeds_and_holds_are_listed_and_released(
    run, sdk: CodatBankFeeds, ids: dict[str, str], own: StandInParts
) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    [feed] = ledger.all_feeds(own.store)
    hold = Hold(
        id="hold-1", scope=Scope.FEED, subject=feed.id, reason="statement-rejected", problem=NO_FEEDS, since=own.now,
        company_id=ids["company_id"],
    )  # fmt: skip
    own.store.commit(own.store.add_hold(hold), ledger.put_feed(feed.but(recorded_through=2)))
    assert f"{feed.id}  2  0  2  held: statement-rejected" in run("feeds", "list").output
    assert run("feeds", "list", "--company", "nobody").output == ""
    listed = run("holds", "list").output
    assert listed.startswith("hold-1  feed  ")
    assert NO_FEEDS.detail in listed
    assert "1 push operation(s) started" in run("holds", "release", "hold-1").output
    assert run("holds", "list").output == ""
    assert run("feeds", "release", feed.id).exit_code == 0


def test_what_the_api_refuses_ends_the_command_with_its_words(run, own: StandInParts) -> None:
    refused = run("holds", "release", "nothing")
    assert refused.exit_code == 1
    assert "404: No hold was found with ID nothing" in refused.output


def test_a_key_is_made_straight_in_the_table(run, own: StandInParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "_store", lambda table: own.store)
    made = run("api-key", "create", "--table", "feedlane", "--name", "first")
    assert made.exit_code == 0
    monkeypatch.setenv("FEEDLANE_API_KEY", made.output.strip())
    assert run("holds", "list").exit_code == 0
    listed = run("api-key", "list", "--table", "feedlane").output
    assert made.output.strip() not in listed
    assert "first" in listed
    assert run("api-key", "create", "--table", "feedlane", "--name", "").exit_code == 1
