"""The unmodified SDKs against the simulator: every answer has the shape that they enforce."""

from __future__ import annotations

from decimal import Decimal

import pytest
from codat_bankfeeds.models import errors, operations, shared
from codat_platform.models import errors as platform_errors
from codat_platform.models import shared as platform_shared

from tests.contract.codat_simulator.driver import (
    BAKERY,
    CARD_ACCOUNT,
    CURRENT_ACCOUNT,
    EURO_ACCOUNT,
    JOINERY,
    SAVINGS_ACCOUNT,
    Driver,
    lines,
)


def test_companies_are_created_found_changed_and_deleted(codat: Driver) -> None:
    sdk = codat.feeds.companies
    company = sdk.create(request={"name": "Harbour (Bakery[1])", "tags": {"uid": "cust_7"}})
    assert company.name == "Harbour Bakery1"
    sdk.create(request={"name": "Other"})
    found = sdk.list(request={"tags": "uid=cust_7", "query": "name~bakery", "order_by": "-created"})
    assert [one.id for one in found.results] == [company.id]
    assert found.total_results == 1
    paged = sdk.list(request={"page": 2, "page_size": 1})
    assert (len(paged.results), paged.total_results, paged.links.next) == (1, 2, None)
    changed = sdk.update(request={"company_id": company.id, "company_update_request": {"description": "demo"}})
    assert (changed.name, changed.description) == ("Harbour Bakery1", "demo")
    replaced = sdk.replace(request={"company_id": company.id, "company_request_body": {"name": "New"}})
    assert (replaced.name, replaced.description, replaced.tags) == ("New", None, {})
    sdk.get_access_token(request={"company_id": company.id})
    sdk.delete(request={"company_id": company.id})
    with pytest.raises(errors.ErrorMessage) as gone:
        sdk.get(request={"company_id": company.id})
    assert gone.value.status_code == 404
    assert company.id in gone.value.data.error


def test_connections_are_linked_unlinked_and_deleted(codat: Driver) -> None:
    ids = codat.company()
    sdk = codat.feeds.connections
    connection = sdk.get(request=ids)
    assert connection.status == "PendingAuth"
    assert connection.link_url.startswith(codat.url)
    codat.link(ids)
    assert sdk.get(request=ids).status == "Linked"
    assert sdk.list(request={"company_id": ids["company_id"], "query": "status=linked"}).total_results == 1
    assert sdk.unlink(request={**ids, "request_body": {"status": "Unlinked"}}).status == "Unlinked"
    assert codat.platform.connections.get(request=ids).status == "Unlinked"
    codat.control("PUT", f"connections/{ids['connection_id']}", {"status": "Deauthorized"})
    refused = sdk.get(request=ids).data_connection_errors[-1]
    assert (refused.status_code, refused.status) == ("401", "Active")
    sdk.delete(request=ids)
    assert sdk.list(request={"company_id": ids["company_id"]}).results == []


def test_both_vocabularies_of_accounts_are_echoed(codat: Driver) -> None:
    ids = codat.company()
    sdk = codat.feeds.source_accounts
    card = {
        "id": "card",
        "account_name": "Business card",
        "account_type": "Credit",
        "account_number": "4471",
        "sort_code": "040004",
        "currency": "GBP",
        "balance": Decimal(0),
    }
    assert sdk.create(request={**ids, "request_body": card}).account_type == "Credit"
    routed = shared.SourceAccountV2Prototype(
        id="src",
        account_name="Savings",
        account_type=shared.AccountType.SAVINGS,
        account_number="20015678",
        currency="GBP",
        balance=Decimal("1.5"),
        routing_info={"bank_code": "040004", "type": "sortcode"},
    )
    second = sdk.create(request={**ids, "request_body": routed})
    assert isinstance(second, shared.SourceAccountV2)
    assert second.balance == Decimal("1.5")
    batch = sdk.create_batch(request={**ids, "request_body": [{**card, "id": "batch"}]})
    assert (batch[0].source_account_id, batch[0].result.status_code) == ("batch", 200)
    mixed = sdk.create_batch(request={**ids, "request_body": [card, {**card, "id": "fresh"}]})
    assert [str(item.result.status_code) for item in mixed] == ["409", "200"]
    assert [account.id for account in sdk.list(request=ids)] == ["card", "src", "batch", "fresh"]
    changed = sdk.update(
        request={**ids, "account_id": "card", "source_account": {"id": "card", "account_name": "Team card"}}
    )
    assert (changed.account_name, changed.status) == ("Team card", "pending")
    sdk.delete(request={**ids, "account_id": "batch"})
    with pytest.raises(errors.ErrorMessage) as taken:
        sdk.create(request={**ids, "request_body": card})
    assert "A bank account already exists with the same Id" in taken.value.data.error


def test_a_mapping_offers_only_accounts_that_fit(codat: Driver) -> None:
    ids = codat.company()
    codat.add_account(ids)
    codat.add_account(ids, id="card", accountType="creditCard", accountNumber="4242")
    codat.add_account(ids, id="euro", currency="EUR")
    codat.link(ids)
    first, card, euro = codat.feeds.account_mapping.get(request=ids)
    assert [option.id for option in first.target_account_options] == [CURRENT_ACCOUNT, SAVINGS_ACCOUNT]
    assert [option.id for option in card.target_account_options] == [CARD_ACCOUNT]
    assert [option.id for option in euro.target_account_options] == [EURO_ACCOUNT]
    assert first.status == "pending"
    assert not first.target_account_id
    made = codat.feeds.account_mapping.create(
        request={
            **ids,
            "bank_feed_account_mapping": {"source_account_id": "src-001", "target_account_id": CURRENT_ACCOUNT},
        }
    )
    assert (made.status, made.target_account_id) == ("connected", CURRENT_ACCOUNT)
    information = codat.feeds.company_information.get(request=ids)
    assert (information.company_name, information.base_currency) == ("Harbour Bakery Ltd", "GBP")
    assert codat.feeds.transactions.get_create_model(request={**ids, "account_id": "src-001"}).type == "Object"
    codat.platform.push_data.get_model_options(request={**ids, "data_type": "bankTransactions"})


def test_a_push_is_pending_and_then_succeeds(codat: Driver) -> None:
    ids = codat.ready()
    pushed = codat.feeds.transactions.create(
        request=operations.CreateBankTransactionsRequest(
            **ids,
            account_id="src-001",
            timeout_in_minutes=30,
            create_bank_transactions=shared.CreateBankTransactions(
                account_id="src-001",
                transactions=[
                    shared.BankTransaction(
                        id="tx-1",
                        date_="2026-06-15T09:30:00",
                        description="Invoice 118",
                        amount=Decimal(100),
                        balance=Decimal("350.10"),
                        transaction_type=shared.BankTransactionType.CREDIT,
                    )
                ],
            ),
        )
    )
    assert (pushed.status, pushed.status_code, pushed.data.account_id) == ("Pending", 202, "src-001")
    key = {"company_id": ids["company_id"], "push_operation_key": pushed.push_operation_key}
    assert codat.feeds.transactions.get_create_operation(request=key).status == "Pending"
    codat.advance(2)
    done = codat.feeds.transactions.get_create_operation(request=key)
    assert (done.status, done.status_code, done.changes[0].type) == ("Success", 200, "Created")
    assert codat.platform.push_data.get_operation(request=key).status == "Success"
    assert codat.arrived() == ["tx-1"]


def test_xeros_403_is_in_the_failed_operation(codat: Driver) -> None:
    ids = codat.ready(JOINERY, target=None)
    pushed = codat.push(ids, lines(10)).json()
    codat.advance(2)
    failed = codat.platform.push_data.list_operations(
        request={"company_id": ids["company_id"], "query": "status=Failed", "order_by": "-requestedOnUtc"}
    ).results[0]
    assert (failed.push_operation_key, failed.status_code) == (pushed["pushOperationKey"], 403)
    assert failed.error_message.startswith("An error occurred in a downstream service. Correlation ID: ")
    assert "invalid-organisation-bank-feeds" in failed.error_message
    assert failed.validation.errors[0].message == "The organisation does not support automated bank feeds."
    assert codat.arrived() == []


def test_the_client_has_consumers_keys_a_profile_and_integrations(codat: Driver) -> None:
    sdk = codat.platform
    hook = sdk.webhooks.create_consumer(
        request=platform_shared.WebhookConsumerPrototype(
            url="https://hooks.example.com/feeds", event_types=["connection.connected"], company_tags=["region:uk"]
        )
    )
    assert [one.id for one in sdk.webhooks.list_consumers().results] == [hook.id]
    sdk.webhooks.delete_consumer(request={"webhook_id": hook.id})
    assert sdk.webhooks.list_consumers().results == []
    key = sdk.settings.create_api_key(request={"name": "ci"})
    assert key.api_key in [one.api_key for one in sdk.settings.list_api_keys().results]
    sdk.settings.update_profile(request={"name": "Demo Bank", "redirect_url": "https://app.example.com/{companyId}"})
    assert sdk.settings.get_profile().redirect_url == "https://app.example.com/{companyId}"
    assert sdk.integrations.list(request={"query": "sourceType=accounting&&enabled=true"}).results[0].key == "gbol"
    assert sdk.integrations.get(request={"platform_key": "gbol"}).name == "Xero"
    codat.control("PUT", "integration", {"enabled": False})
    assert sdk.integrations.get(request={"platform_key": "gbol"}).enabled is False
    assert not sdk.integrations.list(request={"query": "sourceType=accounting&&enabled=true"}).results


def test_refusals_become_typed_errors(codat: Driver) -> None:
    ids = codat.ready()
    for status in (401, 402, 403, 404, 429, 500, 503):
        codat.fault("GET", f"/connections/{ids['connection_id']}", "status", status=status)
        with pytest.raises(errors.ErrorMessage) as refused:
            codat.feeds.connections.get(request=ids)
        assert (refused.value.status_code, refused.value.data.status_code) == (status, status)
    codat.control("PUT", "limits", {"companies": 1})
    with pytest.raises(platform_errors.ErrorMessage) as full:
        codat.platform.companies.create(request={"name": "One more"})
    assert full.value.status_code == 402


def test_an_account_id_with_a_slash_works(codat: Driver) -> None:
    ids = codat.company()
    codat.add_account(ids, id="a/b c")
    codat.link(ids, BAKERY)
    codat.map(ids, source="a/b c")
    pushed = codat.feeds.transactions.create(
        request={
            **ids,
            "account_id": "a/b c",
            "create_bank_transactions": {
                "account_id": "a/b c",
                "transactions": [
                    {
                        "id": "tx-1",
                        "date_": "2026-06-15",
                        "description": "Invoice",
                        "amount": 1,
                        "balance": 1,
                        "transaction_type": "Credit",
                    }
                ],
            },
        }
    )
    assert pushed.status == "Pending"
    codat.feeds.source_accounts.delete(request={**ids, "account_id": "a/b c"})
