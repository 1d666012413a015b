"""The unmodified `codat-bankfeeds` SDK against the handler: every supported method, as a platform uses it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors, operations, shared

from feedlane.connection import ConnectionError, ConnectionStatus
from feedlane.feed import feed_id
from feedlane.mapping import feed_connection_active
from feedlane.store import ledger, push_operations
from tests.contract.sdk.api_server import ApiServer
from tests.contract.sdk.stand_ins import StandInParts, transaction

Ids = dict[str, str]
CHECKING = {
    "id": "src-001", "account_name": "Current account", "account_type": "checking", "account_number": "20011234",
    "sort_code": "040004", "currency": "GBP", "balance": Decimal("250.10"),
}  # fmt: skip
CARD_V1 = {
    "id": "src-002", "account_name": "Business card", "account_type": "Credit", "account_number": "4471",
    "currency": "GBP", "balance": Decimal("0"),
}  # fmt: skip


def create_account(sdk: CodatBankFeeds, ids: Ids, **changes: object) -> object:
    return sdk.source_accounts.create(request={**ids, "request_body": CHECKING | changes})


def map_account(sdk: CodatBankFeeds, ids: Ids, source: str = "src-001", target: str | None = "xero-1") -> object:
    mapping = {"source_account_id": source, "target_account_id": target, "feed_start_date": "2026-01-01T00:00:00Z"}
    return sdk.account_mapping.create(request={**ids, "bank_feed_account_mapping": mapping})


def push(sdk: CodatBankFeeds, ids: Ids, account: str = "src-001", **more: object) -> object:
    body = {
        "account_id": account,
        "transactions": [
            transaction("tx-1", "2026-05-01T09:30:00", "100", "350.10", counterparty="Mill Street Cafe"),
            transaction("tx-2", "2026-05-01T11:00:00", "-40.25", "309.85"),
        ],
    }
    return sdk.transactions.create(
        request={**ids, "account_id": account, "create_bank_transactions": body, "timeout_in_minutes": 30}, **more
    )


# companies


def test_a_company_lives_from_creation_to_deletion(sdk: CodatBankFeeds, own: StandInParts) -> None:
    company = sdk.companies.create(request={"name": "Company (Codat[1])", "description": "demo", "tags": {"a": "b"}})
    assert company.name == "Company Codat1"
    assert company.redirect.startswith("https://feedlane.example.com/link/")
    changed = sdk.companies.update(
        request={"company_id": company.id, "company_update_request": {"description": "changed"}}
    )
    assert (changed.name, changed.description, changed.tags) == ("Company Codat1", "changed", {"a": "b"})
    replaced = sdk.companies.replace(request={"company_id": company.id, "company_request_body": {"name": "New"}})
    assert (replaced.name, replaced.description, replaced.tags) == ("New", None, {})
    assert sdk.companies.get(request={"company_id": company.id}).name == "New"
    sdk.companies.delete(request={"company_id": company.id})
    with pytest.raises(errors.ErrorMessage) as gone:
        sdk.companies.get(request={"company_id": company.id})
    assert gone.value.status_code == 404
    assert gone.value.data.error == f"No company was found with ID {company.id}"
    assert own.event_types == ["company.created", "company.deleted"]


def test_companies_are_paged_filtered_and_ordered(sdk: CodatBankFeeds) -> None:
    for number in range(5):
        sdk.companies.create(request={"name": f"Bakery {number}", "tags": {"uid": f"cust_{number}"}})
    page = sdk.companies.list(request={"page": 2, "page_size": 2, "order_by": "-name"})
    assert [company.name for company in page.results] == ["Bakery 2", "Bakery 1"]
    assert (page.page_number, page.page_size, page.total_results) == (2, 2, 5)
    assert page.links.next.href == "/companies?page=3&pageSize=2&orderBy=-name"
    found = sdk.companies.list(request={"query": "name~bakery && name!=Bakery 3", "tags": "uid != cust_1"})
    assert [company.name for company in found.results] == ["Bakery 0", "Bakery 2", "Bakery 4"]
    assert sdk.companies.list(request={"query": "dataConnections.status=Linked"}).results == []
    assert sdk.companies.list().total_results == 5


def test_a_bad_query_is_told_in_codats_words(sdk: CodatBankFeeds) -> None:
    with pytest.raises(errors.ErrorMessage) as malformed:
        sdk.companies.list(request={"query": "name"})
    assert (malformed.value.status_code, malformed.value.data.error) == (400, "Error parsing query - Malformed query.")
    with pytest.raises(errors.ErrorMessage) as unknown:
        sdk.companies.list(request={"query": "colour=red"})
    assert unknown.value.data.error == "Could not resolve property colour on Company"


# connections


def test_a_connection_is_created_listed_and_read(sdk: CodatBankFeeds, ids: Ids) -> None:
    connection = sdk.connections.get(request=ids)
    assert (connection.status, connection.source_type, connection.platform_name) == ("Linked", "Accounting", "Xero")
    assert connection.link_url
    listed = sdk.connections.list(request={"company_id": ids["company_id"], "query": "status=linked"})
    assert [one.id for one in listed.results] == [ids["connection_id"]]
    company = sdk.companies.get(request={"company_id": ids["company_id"]})
    assert [one.id for one in company.data_connections] == [ids["connection_id"]]


def test_connection_errors_reach_the_client(sdk: CodatBankFeeds, ids: Ids, own: StandInParts) -> None:
    connection = own.store.connection(ids["company_id"], ids["connection_id"])
    error = ConnectionError(
        status_code="403", status_text="User cancelled linking", error_message="User cancelled", errored_on=own.now
    )
    own.store.commit(own.store.put_connection(connection.failed(error)))
    [shown] = sdk.connections.get(request=ids).data_connection_errors
    assert (shown.status_code, shown.error_message, shown.status) == ("403", "User cancelled", "Active")


def test_unlinking_ends_that_one_connection_at_xero(sdk: CodatBankFeeds, ids: Ids, own: StandInParts) -> None:
    unlinked = sdk.connections.unlink(request={**ids, "request_body": {"status": "Unlinked"}})
    assert unlinked.status == "Unlinked"
    assert own.upstream.disconnected == ["xc-tenant-1"]
    assert "connection.disconnected" in own.event_types


def test_a_connection_that_never_was_linked_cannot_be_unlinked(sdk: CodatBankFeeds, ids: Ids) -> None:
    other = sdk.connections.create(request={"company_id": ids["company_id"], "request_body": {"platform_key": "gbol"}})
    with pytest.raises(errors.SDKError) as refused:
        sdk.connections.unlink(request={**ids, "connection_id": other.id, "request_body": {"status": "Unlinked"}})
    assert refused.value.status_code == 400


def test_deleting_a_connection_takes_its_accounts_and_feeds_along(
    sdk: CodatBankFeeds, ids: Ids, own: StandInParts
) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    assert sdk.connections.delete(request=ids) is None
    assert own.upstream.feeds == {}
    assert own.upstream.disconnected == ["xc-tenant-1"]
    assert sdk.connections.list(request={"company_id": ids["company_id"]}).results == []
    assert own.store.source_accounts(ids["connection_id"]) == []
    assert "connection.deleted" in own.event_types


def test_company_information_is_the_organisations(sdk: CodatBankFeeds, ids: Ids) -> None:
    information = sdk.company_information.get(request=ids)
    assert (information.company_name, information.base_currency) == ("Harbour Bakery", "GBP")
    assert information.plan_type == "GROW"


# source accounts


def test_both_vocabularies_of_source_accounts_are_echoed(sdk: CodatBankFeeds, ids: Ids) -> None:
    first = sdk.source_accounts.create(request={**ids, "request_body": CARD_V1})
    assert isinstance(first, shared.SourceAccount)
    assert (first.account_type, first.status) == ("Credit", "pending")
    second = create_account(sdk, ids, routing_info={"bank_code": "040004", "type": "sortcode"})
    assert isinstance(second, shared.SourceAccountV2)
    assert second.balance == Decimal("250.1")
    assert [account.id for account in sdk.source_accounts.list(request=ids)] == ["src-001", "src-002"]


def test_an_account_list_may_be_empty(sdk: CodatBankFeeds, ids: Ids) -> None:
    assert sdk.source_accounts.list(request=ids) == []


def test_an_id_that_is_taken_is_a_400(sdk: CodatBankFeeds, ids: Ids) -> None:
    create_account(sdk, ids)
    with pytest.raises(errors.ErrorMessage) as taken:
        create_account(sdk, ids)
    assert taken.value.status_code == 400
    assert "A bank account already exists with the same Id" in taken.value.data.error


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "100%"}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "batch"}, "id"),
        ({"account_type": "creditCard", "account_number": "none"}, "accountNumber"),
        ({"currency": "gbp"}, "currency"),
        ({"account_number": "1" * 41}, "accountNumber"),
        ({"balance": Decimal("1.23456")}, "balance"),
    ],
)
def test_a_wrong_field_is_named(sdk: CodatBankFeeds, ids: Ids, changes: dict[str, object], field: str) -> None:
    with pytest.raises(errors.ErrorMessage) as wrong:
        create_account(sdk, ids, **changes)
    assert wrong.value.status_code == 400
    assert [one.item_id for one in wrong.value.data.validation.errors] == [field]


def test_a_batch_of_new_accounts_is_201(sdk: CodatBankFeeds, ids: Ids) -> None:
    items = [shared.SourceAccountV2Prototype(**CHECKING | {"id": f"batch-{number}"}) for number in range(3)]
    results = sdk.source_accounts.create_batch(
        request=operations.CreateBatchSourceAccountRequest(**ids, request_body=items)
    )
    assert [one.source_account_id for one in results] == ["batch-0", "batch-1", "batch-2"]
    assert all(one.result.status_code == 200 and one.result.account for one in results)


def test_a_batch_with_failures_is_207_item_by_item(sdk: CodatBankFeeds, ids: Ids, server: ApiServer) -> None:
    create_account(sdk, ids)
    for items in ([CHECKING, CHECKING | {"id": "new"}], [CHECKING]):
        results = sdk.source_accounts.create_batch(request={**ids, "request_body": items})
        assert results[0].result.status_code == "409"
        assert results[0].result.error == "A bank account already exists with the same Id"


def test_updates_change_name_balance_and_status_only(sdk: CodatBankFeeds, ids: Ids) -> None:
    create_account(sdk, ids)
    changes = {"id": "src-001", "account_name": "Team", "balance": 7}
    changed = sdk.source_accounts.update(request={**ids, "account_id": "src-001", "source_account": changes})
    assert (changed.account_name, changed.balance) == ("Team", Decimal(7))
    for bad in ({"currency": "EUR"}, {"status": "connected"}):
        with pytest.raises(errors.ErrorMessage) as refused:
            sdk.source_accounts.update(
                request={**ids, "account_id": "src-001", "source_account": {"id": "src-001"} | bad}
            )
        assert refused.value.status_code == 400


def test_a_deleted_account_is_gone_and_its_feed_ended(sdk: CodatBankFeeds, ids: Ids, own: StandInParts) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    sdk.source_accounts.delete(request={**ids, "account_id": "src-001"})
    assert sdk.source_accounts.list(request=ids) == []
    assert own.upstream.feeds == {}


# mapping


def test_mapping_offers_accounts_of_the_same_kind_and_currency(sdk: CodatBankFeeds, ids: Ids) -> None:
    create_account(sdk, ids)
    create_account(sdk, ids, id="card", account_type="creditCard", account_number="4111 4471")
    offered = {one.source_account_id: one for one in sdk.account_mapping.get(request=ids)}
    assert [option.id for option in offered["src-001"].target_account_options] == ["xero-1"]
    assert [option.id for option in offered["card"].target_account_options] == ["xero-3"]
    assert offered["card"].status == "pending"


def test_mapping_to_an_existing_account_connects_it(sdk: CodatBankFeeds, ids: Ids, own: StandInParts) -> None:
    create_account(sdk, ids)
    mapped = map_account(sdk, ids)
    assert (mapped.status, mapped.target_account_id, mapped.error) == ("connected", "xero-1", None)
    assert map_account(sdk, ids).status == "connected"
    assert len(own.upstream.feeds) == 1
    [shown] = sdk.account_mapping.get(request=ids)
    assert (shown.target_account_id, shown.feed_start_date) == ("xero-1", "2026-01-01T00:00:00Z")
    assert own.event_types.count("bankFeeds.sourceAccount.connected") == 1
    feed = ledger.find_feed(own.store, feed_id(ids["connection_id"], "src-001"))
    assert feed
    assert (feed.tenant_id, feed.token_set_id) == ("tenant-1", "tokens-1")


def test_mapping_to_a_new_account_connects_when_xero_is_ready(sdk: CodatBankFeeds, ids: Ids, own: StandInParts) -> None:
    own.upstream.active = False
    create_account(sdk, ids)
    mapped = map_account(sdk, ids, target=None)
    assert (mapped.status, mapped.target_account_id) == ("connecting", None)
    check, delay = own.queues.checks[-1]
    assert (check.kind, check.feed_id, delay) == ("feedConnection", feed_id(ids["connection_id"], "src-001"), 1)
    [made] = own.upstream.feeds.values()
    ready = made.model_copy(update={"active": True, "account_id": "xero-9", "account_name": "Current account"})
    feed_connection_active(own.store, check.feed_id, ready, own.now, own.new_id)
    [shown] = sdk.account_mapping.get(request=ids)
    assert (shown.status, shown.target_account_id, shown.target_account_name) == (
        "connected", "xero-9", "Current account",
    )  # fmt: skip
    assert "bankFeeds.sourceAccount.connected" in own.event_types


def test_an_account_that_another_company_feeds_is_neither_offered_nor_taken(
    sdk: CodatBankFeeds, ids: Ids, own: StandInParts
) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    other = sdk.companies.create(request={"name": "Other"})
    connection = sdk.connections.create(request={"company_id": other.id, "request_body": {"platform_key": "gbol"}})
    own.link(other.id, connection.id)
    theirs = {"company_id": other.id, "connection_id": connection.id}
    create_account(sdk, theirs)
    [offered] = sdk.account_mapping.get(request=theirs)
    assert offered.target_account_options == []
    with pytest.raises(errors.ErrorMessage) as taken:
        map_account(sdk, theirs)
    assert taken.value.status_code == 400
    assert "Disconnect that source account first" in taken.value.data.error


def test_a_disconnected_account_can_be_mapped_anew_and_keeps_its_ledger(
    sdk: CodatBankFeeds, ids: Ids, own: StandInParts
) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    id = feed_id(ids["connection_id"], "src-001")
    feed = ledger.find_feed(own.store, id)
    assert feed
    own.store.commit(ledger.put_feed(feed.but(recorded_through=7)))
    ended = sdk.source_accounts.update(
        request={**ids, "account_id": "src-001", "source_account": {"id": "src-001", "status": "disconnected"}}
    )
    assert ended.status == "disconnected"
    unfed = ledger.find_feed(own.store, id)
    assert unfed
    assert unfed.feed_connection_id == ""
    assert map_account(sdk, ids).status == "connected"
    again = ledger.find_feed(own.store, id)
    assert again
    assert (again.recorded_through, again.feed_connection_id) == (7, "feed-2")
    assert "bankFeeds.sourceAccount.disconnected" in own.event_types


# push


def test_a_push_answers_pending_and_ends_in_the_history(sdk: CodatBankFeeds, ids: Ids, own: StandInParts) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    pushed = push(sdk, ids)
    assert (pushed.status, pushed.status_code, pushed.data_type) == ("Pending", 202, "bankTransactions")
    assert pushed.timeout_in_minutes == 30
    request = {"company_id": ids["company_id"], "push_operation_key": pushed.push_operation_key}
    assert sdk.transactions.get_create_operation(request=request).status == "Pending"
    operation = push_operations.find_operation(own.store, ids["company_id"], pushed.push_operation_key)
    own.store.commit(push_operations.put_operation(operation.succeeded(own.now)))
    ended = sdk.transactions.get_create_operation(request=request)
    assert (ended.status, ended.status_code, ended.changes[0].type) == ("Success", 200, "Created")
    page = sdk.transactions.list_create_operations(
        request={"company_id": ids["company_id"], "query": "status=success", "order_by": "-requestedOnUtc"}
    )
    assert [one.push_operation_key for one in page.results] == [pushed.push_operation_key]
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


def test_an_unlinked_connection_takes_no_push(sdk: CodatBankFeeds, ids: Ids, own: StandInParts) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    sdk.connections.unlink(request={**ids, "request_body": {"status": "Unlinked"}})
    assert own.store.connection(**ids).status is ConnectionStatus.UNLINKED
    with pytest.raises(errors.ErrorMessage) as refused:
        push(sdk, ids)
    assert refused.value.status_code == 400
    assert "not linked" in refused.value.data.error
