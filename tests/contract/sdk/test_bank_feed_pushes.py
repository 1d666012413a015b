"""The unmodified `codat-bankfeeds` SDK against the handler: pushes and their operations."""

from __future__ import annotations

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.feeds import push_operation_items
from tests.contract.sdk.api_server import ApiServer
from tests.contract.sdk.test_bank_feeds import Ids, create_account, map_account, push
from tests.worlds.api import World


def test_a_push_answers_pending_and_ends_in_the_history(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    pushed = push(sdk, ids)
    assert (pushed.status, pushed.status_code, pushed.data_type) == ("Pending", 202, "bankTransactions")
    assert pushed.timeout_in_minutes == 30
    request = {"company_id": ids["company_id"], "push_operation_key": pushed.push_operation_key}
    assert sdk.transactions.get_create_operation(request=request).status == "Pending"
    operation = push_operation_items.operation(world.store, ids["company_id"], pushed.push_operation_key)
    world.store.commit(push_operation_items.put_operation(operation.succeeded(world.now)))
    ended = sdk.transactions.get_create_operation(request=request)
    assert (ended.status, ended.status_code, ended.changes[0].type) == ("Success", 200, "Created")
    page = sdk.transactions.list_create_operations(
        request={"company_id": ids["company_id"], "query": "status=success", "order_by": "-requestedOnUtc"}
    )
    assert [operation.push_operation_key for operation in page.results] == [pushed.push_operation_key]
    assert sdk.transactions.list_create_operations(request={"company_id": ids["company_id"]}).total_results == 1


def test_the_push_model_describes_bank_transactions(sdk: CodatBankFeeds, ids: Ids) -> None:
    create_account(sdk, ids)
    model = sdk.transactions.get_create_model(request={**ids, "account_id": "src-001"})
    fields = model.properties["transactions"].properties
    assert [name for name, field in fields.items() if field.required] == ["id", "date", "amount", "balance"]


@pytest.mark.parametrize("decodes_paths", [True, False])
def test_an_account_id_may_have_slashes(sdk: CodatBankFeeds, ids: Ids, server: ApiServer, decodes_paths: bool) -> None:
    server.decodes_paths = decodes_paths
    for account in ("a/b", "x/bankTransactions", "GB:12/34+5"):
        create_account(sdk, ids, id=account)
        map_account(sdk, ids, account, None)
        assert push(sdk, ids, account).status == "Pending"
        assert sdk.transactions.get_create_model(request={**ids, "account_id": account}).required
        sdk.source_accounts.update(
            request={**ids, "account_id": account, "source_account": {"id": account, "account_name": "New"}}
        )
        sdk.source_accounts.delete(request={**ids, "account_id": account})


def test_an_unlinked_connection_takes_no_push(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    sdk.connections.unlink(request={**ids, "request_body": {"status": "Unlinked"}})
    assert company_items.connection(world.store, **ids).status is ConnectionStatus.UNLINKED
    with pytest.raises(errors.ErrorMessage) as refused:
        push(sdk, ids)
    assert refused.value.status_code == 400
    assert "not linked" in refused.value.data.error
