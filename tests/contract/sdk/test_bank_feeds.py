"""The unmodified `codat-bankfeeds` SDK against the handler: companies and connections, as a platform uses them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionFault
from tests.worlds.api import World, transaction

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


def push(sdk: CodatBankFeeds, ids: Ids, account: str = "src-001", **options: object) -> object:
    body = {
        "account_id": account,
        "transactions": [
            transaction("tx-1", "2026-05-01T09:30:00", "100", "350.10", counterparty="Mill Street Cafe"),
            transaction("tx-2", "2026-05-01T11:00:00", "-40.25", "309.85"),
        ],
    }
    return sdk.transactions.create(
        request={**ids, "account_id": account, "create_bank_transactions": body, "timeout_in_minutes": 30}, **options
    )


# companies


def test_a_company_lives_from_creation_to_deletion(sdk: CodatBankFeeds, world: World) -> None:
    company = sdk.companies.create(request={"name": "Company (Codat[1])", "description": "demo", "tags": {"a": "b"}})
    assert company.name == "Company Codat1"
    assert company.redirect.startswith("https://feeds.example.com/link/")
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
    assert world.event_types == ["company.created", "company.deleted"]


def test_companies_are_paged_filtered_and_ordered(sdk: CodatBankFeeds) -> None:
    for number in range(5):
        sdk.companies.create(request={"name": f"Bakery {number}", "tags": {"uid": f"cust_{number}"}})
    page = sdk.companies.list(request={"page": 2, "page_size": 2, "order_by": "-name"})
    assert [company.name for company in page.results] == ["Bakery 2", "Bakery 1"]
    assert (page.page_number, page.page_size, page.total_results) == (2, 2, 5)
    assert page.links.next.href == "/companies?page=3&pageSize=2&orderBy=-name"
    page = sdk.companies.list(request={"query": "name~bakery && name!=Bakery 3", "tags": "uid != cust_1"})
    assert [company.name for company in page.results] == ["Bakery 0", "Bakery 2", "Bakery 4"]
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
    assert [connection.id for connection in listed.results] == [ids["connection_id"]]
    company = sdk.companies.get(request={"company_id": ids["company_id"]})
    assert [connection.id for connection in company.data_connections] == [ids["connection_id"]]


def test_connection_errors_reach_the_client(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    connection = company_items.connection(world.store, ids["company_id"], ids["connection_id"])
    fault = ConnectionFault(
        status_code="403", status_text="User cancelled linking", error_message="User cancelled", errored_on=world.now
    )
    world.store.commit(company_items.put_connection(connection.with_fault(fault)))
    [shown] = sdk.connections.get(request=ids).data_connection_errors
    assert (shown.status_code, shown.error_message, shown.status) == ("403", "User cancelled", "Active")


def test_unlinking_ends_that_one_connection_at_xero(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    unlinked = sdk.connections.unlink(request={**ids, "request_body": {"status": "Unlinked"}})
    assert unlinked.status == "Unlinked"
    assert world.upstream.disconnected == ["xero-tenant-1"]
    assert "connection.disconnected" in world.event_types


def test_a_connection_that_never_was_linked_cannot_be_unlinked(sdk: CodatBankFeeds, ids: Ids) -> None:
    other = sdk.connections.create(request={"company_id": ids["company_id"], "request_body": {"platform_key": "gbol"}})
    with pytest.raises(errors.SDKError) as refused:
        sdk.connections.unlink(request={**ids, "connection_id": other.id, "request_body": {"status": "Unlinked"}})
    assert refused.value.status_code == 400


def test_deleting_a_connection_takes_its_accounts_and_feeds_along(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    assert sdk.connections.delete(request=ids) is None
    assert world.upstream.feeds == {}
    assert world.upstream.disconnected == ["xero-tenant-1"]
    assert sdk.connections.list(request={"company_id": ids["company_id"]}).results == []
    assert company_items.source_accounts(world.store, ids["connection_id"]) == []
    assert "connection.deleted" in world.event_types


def test_company_information_is_the_organisations(sdk: CodatBankFeeds, ids: Ids) -> None:
    information = sdk.company_information.get(request=ids)
    assert (information.company_name, information.base_currency) == ("Harbour Bakery", "GBP")
    assert information.plan_type == "GROW"
