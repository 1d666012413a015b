"""The unmodified `codat-bankfeeds` SDK against the handler: source accounts and their mapping."""

from __future__ import annotations

from decimal import Decimal

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors, operations, shared

from feedlane.feeds import items as feed_items
from feedlane.ids import feed_id
from feedlane.mapping.mapping import record_feed_connection_active
from tests.contract.sdk.api_server import ApiServer
from tests.contract.sdk.test_bank_feeds import CARD_V1, CHECKING, Ids, create_account, map_account
from tests.worlds.api import World

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
    with pytest.raises(errors.ErrorMessage) as refused:
        create_account(sdk, ids, **changes)
    assert refused.value.status_code == 400
    assert [finding.item_id for finding in refused.value.data.validation.errors] == [field]


def test_a_batch_of_new_accounts_is_201(sdk: CodatBankFeeds, ids: Ids) -> None:
    items = [shared.SourceAccountV2Prototype(**CHECKING | {"id": f"batch-{number}"}) for number in range(3)]
    results = sdk.source_accounts.create_batch(
        request=operations.CreateBatchSourceAccountRequest(**ids, request_body=items)
    )
    assert [item.source_account_id for item in results] == ["batch-0", "batch-1", "batch-2"]
    assert all(item.result.status_code == 200 and item.result.account for item in results)


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
    for change in ({"currency": "EUR"}, {"status": "connected"}):
        with pytest.raises(errors.ErrorMessage) as refused:
            sdk.source_accounts.update(
                request={**ids, "account_id": "src-001", "source_account": {"id": "src-001"} | change}
            )
        assert refused.value.status_code == 400


def test_a_deleted_account_is_gone_and_its_feed_ended(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    sdk.source_accounts.delete(request={**ids, "account_id": "src-001"})
    assert sdk.source_accounts.list(request=ids) == []
    assert world.upstream.feeds == {}


# mapping


def test_mapping_offers_accounts_of_the_same_kind_and_currency(sdk: CodatBankFeeds, ids: Ids) -> None:
    create_account(sdk, ids)
    create_account(sdk, ids, id="card", account_type="creditCard", account_number="4111 4471")
    offered = {mapping.source_account_id: mapping for mapping in sdk.account_mapping.get(request=ids)}
    assert [option.id for option in offered["src-001"].target_account_options] == ["xero-1"]
    assert [option.id for option in offered["card"].target_account_options] == ["xero-3"]
    assert offered["card"].status == "pending"


def test_mapping_to_an_existing_account_connects_it(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    create_account(sdk, ids)
    mapped = map_account(sdk, ids)
    assert (mapped.status, mapped.target_account_id, mapped.error) == ("connected", "xero-1", None)
    assert map_account(sdk, ids).status == "connected"
    assert len(world.upstream.feeds) == 1
    [shown] = sdk.account_mapping.get(request=ids)
    assert (shown.target_account_id, shown.feed_start_date) == ("xero-1", "2026-01-01T00:00:00Z")
    assert world.event_types.count("bankFeeds.sourceAccount.connected") == 1
    feed = feed_items.find_feed(world.store, feed_id(ids["connection_id"], "src-001"))
    assert feed
    assert (feed.tenant_id, feed.token_set_id) == ("tenant-1", "tokens-1")


def test_mapping_to_a_new_account_connects_when_xero_is_ready(sdk: CodatBankFeeds, ids: Ids, world: World) -> None:
    world.upstream.active = False
    create_account(sdk, ids)
    mapped = map_account(sdk, ids, target=None)
    assert (mapped.status, mapped.target_account_id) == ("connecting", None)
    follow_up, delay = world.queues.follow_ups[-1]
    assert (follow_up.kind, follow_up.feed_id, delay) == ("feedConnection", feed_id(ids["connection_id"], "src-001"), 1)
    [feed_connection] = world.upstream.feeds.values()
    ready = feed_connection.model_copy(
        update={"active": True, "account_id": "xero-9", "account_name": "Current account"}
    )
    record_feed_connection_active(world.ports, follow_up.feed_id, ready, world.now)
    [shown] = sdk.account_mapping.get(request=ids)
    assert (shown.status, shown.target_account_id, shown.target_account_name) == (
        "connected", "xero-9", "Current account",
    )  # fmt: skip
    assert "bankFeeds.sourceAccount.connected" in world.event_types


def test_an_account_that_another_company_feeds_is_neither_offered_nor_taken(
    sdk: CodatBankFeeds, ids: Ids, world: World
) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    other = sdk.companies.create(request={"name": "Other"})
    connection = sdk.connections.create(request={"company_id": other.id, "request_body": {"platform_key": "gbol"}})
    world.link(other.id, connection.id)
    other_ids = {"company_id": other.id, "connection_id": connection.id}
    create_account(sdk, other_ids)
    [offered] = sdk.account_mapping.get(request=other_ids)
    assert offered.target_account_options == []
    with pytest.raises(errors.ErrorMessage) as taken:
        map_account(sdk, other_ids)
    assert taken.value.status_code == 400
    assert "Disconnect that source account first" in taken.value.data.error


def test_a_disconnected_account_can_be_mapped_anew_and_keeps_its_ledger(
    sdk: CodatBankFeeds, ids: Ids, world: World
) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    id = feed_id(ids["connection_id"], "src-001")
    feed = feed_items.find_feed(world.store, id)
    assert feed
    world.store.commit(feed_items.put_feed(feed.but(recorded_through=7)))
    disconnected = sdk.source_accounts.update(
        request={**ids, "account_id": "src-001", "source_account": {"id": "src-001", "status": "disconnected"}}
    )
    assert disconnected.status == "disconnected"
    feed = feed_items.find_feed(world.store, id)
    assert feed
    assert feed.feed_connection_id == ""
    assert map_account(sdk, ids).status == "connected"
    feed = feed_items.find_feed(world.store, id)
    assert feed
    assert (feed.recorded_through, feed.feed_connection_id) == (7, "feed-2")
    assert "bankFeeds.sourceAccount.disconnected" in world.event_types
