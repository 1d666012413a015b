"""How the SDKs handle failures: typed errors, retries, lost answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors, shared

from feedlane.errors import Unavailable
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests.contract.sdk.api_server import ApiServer
from tests.contract.sdk.test_bank_feeds import create_account, map_account, push
from tests.worlds.api import World, transaction

ROOT = Path(__file__).parents[3]
# After these, API Gateway answers in the function's place.
GATEWAY_SECONDS = 30
Ids = dict[str, str]
NO_FEEDS = Problem(
    type="invalid-organisation-bank-feeds",
    title="Invalid Organisation",
    status=403,
    detail="The organisation does not support automated bank feeds.",
)


@pytest.fixture
def mapped(sdk: CodatBankFeeds, ids: Ids) -> Ids:
    create_account(sdk, ids)
    map_account(sdk, ids)
    return ids


def hold_tenant(world: World) -> Hold:
    cause = {"reason": "organisation-without-bank-feeds", "problem": NO_FEEDS}
    return world.add_hold(Scope.TENANT, "tenant-1", tenant_id="tenant-1", **cause)


def test_a_wrong_key_is_a_typed_401(server: ApiServer) -> None:
    for header in ("Basic d3Jvbmc=", "Bearer x", "Basic %%%"):
        sdk = CodatBankFeeds(security=shared.Security(auth_header=header), server_url=server.url)
        with pytest.raises(errors.ErrorMessage) as refused:
            sdk.companies.list()
        assert (refused.value.status_code, refused.value.data.error) == (401, "Unauthorized")
        assert len(refused.value.data.correlation_id) == 32
        assert refused.value.headers["X-Correlation-Id"] == refused.value.data.correlation_id


def test_xeros_403_reaches_the_client_whole(sdk: CodatBankFeeds, mapped: Ids, world: World) -> None:
    hold_tenant(world)
    with pytest.raises(errors.ErrorMessage) as refused:
        push(sdk, mapped)
    assert refused.value.status_code == 403
    assert refused.value.data.error == NO_FEEDS.sentence
    assert '"type":"invalid-organisation-bank-feeds"' in refused.value.body


def test_a_bad_push_is_a_typed_400_that_names_the_transactions(sdk: CodatBankFeeds, mapped: Ids) -> None:
    body = {
        "account_id": "src-001",
        "transactions": [
            transaction("late", "2026-05-01", "1", "1"),
            transaction("early", "2026-04-30", "1", "2"),
            transaction("tomorrow", "2026-05-22", "1", "3"),
        ],
    }
    with pytest.raises(errors.ErrorMessage) as refused:
        sdk.transactions.create(request={**mapped, "account_id": "src-001", "create_bank_transactions": body})
    assert refused.value.status_code == 400
    assert {finding.item_id for finding in refused.value.data.validation.errors} == {"early", "tomorrow"}


def test_more_than_a_thousand_transactions_are_a_400(sdk: CodatBankFeeds, mapped: Ids) -> None:
    transactions = [transaction(f"tx-{number}", "2026-05-01", "1", str(number)) for number in range(1001)]
    with pytest.raises(errors.ErrorMessage) as refused:
        sdk.transactions.create(
            request={
                **mapped, "account_id": "src-001",
                "create_bank_transactions": {"account_id": "src-001", "transactions": transactions},
            }
        )  # fmt: skip
    assert refused.value.status_code == 400


def test_a_push_to_an_account_that_is_not_connected_is_a_typed_400(sdk: CodatBankFeeds, ids: Ids) -> None:
    create_account(sdk, ids)
    with pytest.raises(errors.ErrorMessage) as refused:
        push(sdk, ids)
    assert refused.value.status_code == 400


def test_a_push_whose_answer_got_lost_is_taken_once(
    sdk: CodatBankFeeds, mapped: Ids, world: World, server: ApiServer
) -> None:
    server.lost_answers = 2
    first = push(sdk, mapped)
    assert len([call for call in server.calls if call[0] == "POST" and "/push/" in call[1]]) == 3
    page = sdk.transactions.list_create_operations(request={"company_id": mapped["company_id"]})
    assert [operation.push_operation_key for operation in page.results] == [first.push_operation_key]
    assert {message["id"] for message in world.queues.pushed} == {first.push_operation_key}


def test_a_company_whose_answer_comes_late_is_made_again_so_the_readme_waits_for_it(
    sdk: CodatBankFeeds, server: ApiServer
) -> None:
    server.lost_answers = 2
    sdk.companies.create(request={"name": "Harbour Bakery Ltd"})
    assert len(sdk.companies.list().results) == 3
    [waits] = re.findall(r"timeout_ms=([\d_]+)", (ROOT / "README.md").read_text())
    assert int(waits) / 1000 > GATEWAY_SECONDS


def test_a_server_error_is_tried_again(sdk: CodatBankFeeds, mapped: Ids, server: ApiServer) -> None:
    server.answers = [(500, b"{}"), (504, b"<html>")]
    assert push(sdk, mapped).status == "Pending"


def test_xero_out_of_reach_is_a_503_that_the_sdk_tries_again(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    world.upstream.problem = Unavailable("Xero did not answer")
    assert sdk.connections.unlink(request={**ids, "request_body": {"status": "Unlinked"}}).status == "Unlinked"
    assert world.event_types.count("connection.disconnected") == 1


def test_what_xero_bank_feeds_have_not_is_refused_with_an_envelope(sdk: CodatBankFeeds, ids: Ids) -> None:
    calls = [
        lambda: sdk.companies.get_access_token(request={"company_id": ids["company_id"]}),
        lambda: sdk.source_accounts.generate_credentials(request={**ids, "request_body": b"{}"}),
        lambda: sdk.source_accounts.delete_credentials(request=ids),
        lambda: sdk.source_accounts.generate_otp(request=ids),
        lambda: sdk.managed_bank_feeds.get_latest_sync(request={**ids, "source_account_id": "a/b"}),
        lambda: sdk.managed_bank_feeds.get_sync(request={**ids, "source_account_id": "a", "sync_id": "s"}),
        lambda: sdk.managed_bank_feeds.run_ad_hoc_sync(request={**ids, "source_account_id": "a/b"}),
        lambda: sdk.bank_accounts.list(request=ids),
        lambda: sdk.bank_accounts.get_create_model(request=ids),
        lambda: sdk.bank_accounts.create(request={**ids, "bank_account_prototype": {"account_name": "x"}}),
    ]
    for call in calls:
        with pytest.raises(errors.ErrorMessage) as refused:
            call()
        assert refused.value.status_code == 404
        assert refused.value.data.error


def test_a_released_hold_lets_pushes_in_again(sdk: CodatBankFeeds, mapped: Ids, world: World) -> None:
    hold = hold_tenant(world)
    world.store.commit(*hold_items.remove_holds([hold]))
    assert push(sdk, mapped).status == "Pending"
    assert world.queues.pushed[0]["group"] == feed_id(mapped["connection_id"], "src-001")
