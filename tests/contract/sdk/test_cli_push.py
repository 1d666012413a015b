"""A file of transactions pushed by the command line, against the handler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from codat_bankfeeds import CodatBankFeeds

from cli.__main__ import cli
from cli.files import push as push_command
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import PushOperation
from tests.contract.sdk.api_server import ApiServer
from tests.contract.sdk.test_bank_feeds import create_account, map_account
from tests.contract.sdk.test_edges import NO_FEEDS, hold_tenant
from tests.worlds.api import KEY, World

ACCOUNT = "src-001"
HEADER = "id,date,amount,balance,description"
Push = Callable[..., Result]


@pytest.fixture
def push(
    server: ApiServer, sdk: CodatBankFeeds, ids: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Push:
    """Pushes these lines as a file."""
    create_account(sdk, ids)
    map_account(sdk, ids)
    monkeypatch.setenv("FEEDLANE_API_URL", server.url)
    monkeypatch.setenv("FEEDLANE_API_KEY", KEY)
    place = ["--company", ids["company_id"], "--connection", ids["connection_id"], "--account", ACCOUNT]

    def push(lines: list[str], *options: str) -> Result:
        file = tmp_path / "transactions.csv"
        file.write_text("\n".join((HEADER, *lines)))
        return CliRunner().invoke(cli, ["push", str(file), *place, *options])

    return push


def lines(count: int, first: int = 1) -> list[str]:
    return [f"tx-{n},2026-05-01,1.10,{n * 11 // 10}.{n * 11 % 10}0,x" for n in range(first, first + count)]


def operations(world: World, ids: dict[str, str]) -> list[PushOperation]:
    return list(push_operation_items.operations_of_company(world.store, ids["company_id"], oldest_first=True))


def pushed_by(world: World, ids: dict[str, str]) -> list[int]:
    """How many transactions each push has."""
    return [operation.transactions for operation in operations(world, ids)]


def test_a_file_is_pushed_in_parts_in_its_order(push: Push, world: World, ids: dict[str, str]) -> None:
    pushed = push(lines(2002), "--no-wait")
    assert pushed.exit_code == 0, pushed.output
    assert pushed.output.splitlines() == [
        *(f"{operation.key}  Pending  {operation.transactions} transactions" for operation in operations(world, ids)),
        "2002 transactions pushed.",
    ]
    assert pushed_by(world, ids) == [1000, 1000, 2]


def test_parts_fit_into_a_request(push: Push, world: World, ids: dict[str, str]) -> None:
    """A character of three bytes in each of the longest texts."""
    long = [f"{line[:-1]}{'貸' * 2000}" for line in lines(1000)]
    pushed = push(long, "--no-wait")
    assert pushed.exit_code == 0, pushed.output
    assert len(pushed_by(world, ids)) == 2
    assert sum(pushed_by(world, ids)) == 1000


def test_the_same_file_again_is_the_same_push(push: Push, world: World, ids: dict[str, str]) -> None:
    assert push(lines(3), "--no-wait").output == push(lines(3), "--no-wait").output
    assert pushed_by(world, ids) == [3]


def test_what_is_wrong_is_said_with_its_line_and_nothing_is_pushed(
    push: Push, world: World, ids: dict[str, str]
) -> None:
    bad = [*lines(1), "tx-2,2026-05-01,one,2.20,x", ",2026-05-01,1.10,3.30,x"]
    for options in ((), ("--check",)):
        refused = push(bad, *options)
        assert refused.exit_code == 1
        assert "line 3, tx-2: amount must be a decimal number" in refused.output
        assert "line 4, transactions[2]: id must be a string of 1 to 255 characters" in refused.output
        assert "Nothing was pushed." in refused.output
    assert pushed_by(world, ids) == []


def test_it_stops_at_the_first_part_that_is_refused(push: Push, world: World, ids: dict[str, str]) -> None:
    refused = push([*lines(1001), "tx-x,2026-05-01,1e3,1,x"], "--no-wait")
    assert refused.exit_code == 1
    assert "line 1003, tx-x: " in refused.output
    assert "The 1000 transactions before were pushed." in refused.output
    assert pushed_by(world, ids) == [1000]


def test_a_check_records_nothing(push: Push, world: World, ids: dict[str, str]) -> None:
    checked = push(lines(1500), "--check")
    assert (checked.exit_code, checked.output) == (0, "1500 transactions may be pushed.\n")
    assert pushed_by(world, ids) == []


def test_a_hold_is_told_in_xeros_words(push: Push, world: World) -> None:
    hold_tenant(world)
    refused = push(lines(1))
    assert refused.exit_code == 1
    assert NO_FEEDS.detail in refused.output


@pytest.mark.parametrize("fails", [False, True])
def test_it_waits_until_xero_has_the_transactions(
    push: Push, world: World, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def end(_seconds: float) -> None:
        for operation in operations(world, ids):
            ended = operation.failed(world.now, NO_FEEDS.sentence) if fails else operation.succeeded(world.now)
            world.store.commit(push_operation_items.put_operation(ended))

    monkeypatch.setattr(push_command.time, "sleep", end)
    pushed = push(lines(2))
    assert pushed.exit_code == (1 if fails else 0)
    assert f"  {'Failed' if fails else 'Success'}  2 transactions" in pushed.output
    assert (NO_FEEDS.detail in pushed.output) is fails


def test_a_file_without_transactions_and_an_odd_delimiter_are_refused(push: Push) -> None:
    assert "The file has no transactions." in push([]).output
    assert "--delimiter must be one character, or tab." in push(lines(1), "--delimiter", ";;").output
