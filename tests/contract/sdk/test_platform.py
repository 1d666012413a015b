"""The unmodified `codat-platform` SDK against the handler."""

from __future__ import annotations

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_platform import CodatPlatform
from codat_platform.models import errors, shared

from feedlane.webhooks.consumer import CONSUMERS_MAX
from tests.contract.sdk.test_bank_feeds import create_account, map_account, push
from tests.worlds.api import KEY, World

Ids = dict[str, str]
EVENTS = ["bankTransactions.write.successful", "PushOperationStatusChanged", "connection.connected"]


def test_a_webhook_consumer_shows_its_secret_once(platform: CodatPlatform, world: World) -> None:
    created = platform.webhooks.create_consumer(
        request=shared.WebhookConsumerPrototype(
            url="https://hooks.example.com/feeds", event_types=EVENTS, company_tags=["region:uk"]
        )
    )
    assert created.event_types == [
        "bankTransactions.write.successful", "bankTransactions.write.unsuccessful", "connection.connected",
    ]  # fmt: skip
    assert world.vault.secrets.keys() == {created.id}
    [listed] = platform.webhooks.list_consumers().results
    assert (listed.id, listed.url, listed.company_tags) == (
        created.id,
        "https://hooks.example.com/feeds",
        ["region:uk"],
    )
    platform.webhooks.delete_consumer(request={"webhook_id": created.id})
    assert platform.webhooks.list_consumers().results == []
    assert world.vault.secrets == {}


def test_a_webhook_consumer_is_checked(platform: CodatPlatform) -> None:
    invalid_fields = {
        "eventTypes": {"event_types": ["no.such.event"]},
        "companyTags": {"company_tags": ["untagged"]},
        "url": {"url": "not an address"},
    }
    for field, value in invalid_fields.items():
        with pytest.raises(errors.ErrorMessage) as refused:
            platform.webhooks.create_consumer(request={"url": "https://hooks.example.com/"} | value)
        assert refused.value.status_code == 400
        assert [finding.item_id for finding in refused.value.data.validation.errors] == [field]
        assert refused.value.data.error.startswith(f"{field}: ")


def test_there_are_at_most_fifty_consumers(platform: CodatPlatform) -> None:
    for number in range(CONSUMERS_MAX):
        platform.webhooks.create_consumer(request={"url": f"https://hooks.example.com/{number}"})
    with pytest.raises(errors.ErrorMessage) as refused:
        platform.webhooks.create_consumer(request={"url": "https://hooks.example.com/"})
    assert refused.value.status_code == 400
    [error] = refused.value.data.validation.errors
    assert (error.item_id, error.validator_name) == ("webhooks", "MaximumCount")
    [first, *_] = platform.webhooks.list_consumers().results
    platform.webhooks.delete_consumer(request={"webhook_id": first.id})
    platform.webhooks.create_consumer(request={"url": "https://hooks.example.com/"})


def test_integrations_are_listed_whatever_the_case_of_an_enum(platform: CodatPlatform) -> None:
    [xero] = platform.integrations.list(request={"query": "sourceType=accounting&&enabled=true"}).results
    assert (xero.key, xero.name, xero.enabled) == ("gbol", "Xero", True)
    assert platform.integrations.list(request={"query": "enabled=false"}).results == []
    assert platform.integrations.get(request={"platform_key": "gbol"}).source_type == "Accounting"
    assert platform.integrations.get_branding(request={"platform_key": "gbol"}).logo.full.image.src
    with pytest.raises(errors.ErrorMessage) as unknown:
        platform.integrations.get(request={"platform_key": "hcws"})
    assert unknown.value.status_code == 404


def test_the_profile_is_kept(platform: CodatPlatform) -> None:
    assert platform.settings.get_profile().name == "Feedlane"
    profile = {"name": "Demo Bank", "redirect_url": "https://app.example.com/done/{companyId}"}
    platform.settings.update_profile(request=profile)
    assert platform.settings.get_profile().redirect_url == profile["redirect_url"]
    with pytest.raises(errors.SDKError) as refused:
        platform.settings.update_profile(request=profile | {"redirect_url": "http://app.example.com"})
    assert refused.value.status_code == 400


def test_an_api_key_is_shown_once_and_works_at_once(platform: CodatPlatform, world: World) -> None:
    created = platform.settings.create_api_key(request={"name": "ci"})
    assert created.api_key.startswith("fl_")
    listed = platform.settings.list_api_keys().results
    assert {key.name for key in listed} == {"test", "ci"}
    assert created.api_key not in [key.api_key for key in listed]
    assert created.api_key not in str(world.table.items)
    # The SDK treats every answer to a deletion as an error, but the key is deleted.
    with pytest.raises(errors.ResponseValidationError):
        platform.settings.delete_api_key(request={"api_key_id": created.id})
    assert [key.name for key in platform.settings.list_api_keys().results] == ["test"]


def test_an_eleventh_api_key_is_a_typed_409(platform: CodatPlatform) -> None:
    for number in range(9):
        platform.settings.create_api_key(request={"name": f"key {number}"})
    with pytest.raises(errors.ErrorMessage) as refused:
        platform.settings.create_api_key(request={"name": "one too many"})
    assert refused.value.status_code == 409
    with pytest.raises(errors.ErrorMessage) as too_long:
        platform.settings.create_api_key(request={"name": "n" * 51})
    assert too_long.value.status_code == 400


def test_the_last_api_key_stays(platform: CodatPlatform) -> None:
    with pytest.raises(errors.CodatPlatformError):
        platform.settings.delete_api_key(request={"api_key_id": "key-1"})
    assert len(platform.settings.list_api_keys().results) == 1


def test_origins_are_kept(platform: CodatPlatform) -> None:
    platform.settings.set(request={"allowed_origins": ["https://app.example.com"]})
    assert platform.settings.get().allowed_origins == ["https://app.example.com"]
    assert platform.cors.get().allowed_origins == ["https://app.example.com"]


def test_pushes_are_seen_by_the_platform_sdk_too(sdk: CodatBankFeeds, platform: CodatPlatform, ids: Ids) -> None:
    create_account(sdk, ids)
    map_account(sdk, ids)
    key = push(sdk, ids).push_operation_key
    company = {"company_id": ids["company_id"]}
    assert platform.push_data.get_operation(request={**company, "push_operation_key": key}).status == "Pending"
    page = platform.push_data.list_operations(request={**company, "query": "status=Failed"})
    assert page.results == []
    assert platform.push_data.get_model_options(request={**ids, "data_type": "bankTransactions"}).required
    with pytest.raises(errors.ErrorMessage) as unsupported:
        platform.push_data.get_model_options(request={**ids, "data_type": "invoices"})
    assert unsupported.value.status_code == 404


def test_companies_and_connections_work_alike(platform: CodatPlatform, world: World) -> None:
    company = platform.companies.create(request={"name": "Harbour Bakery Ltd"})
    connection = platform.connections.create(
        request={"company_id": company.id, "request_body": {"platform_key": "gbol"}}
    )
    ids = {"company_id": company.id, "connection_id": connection.id}
    world.link(**ids)
    unlinked = platform.connections.unlink(request={**ids, "update_connection_status": {"status": "Unlinked"}})
    assert unlinked.status == "Unlinked"
    platform.connections.delete(request=ids)
    platform.companies.delete(request={"company_id": company.id})
    assert platform.companies.list().results == []


def test_the_read_side_is_refused_with_an_envelope(platform: CodatPlatform, ids: Ids) -> None:
    company = {"company_id": ids["company_id"]}
    setting = {"data_type": "invoices", "fetch_on_first_link": True, "sync_schedule": 24, "sync_order": 0}
    calls = [
        (404, lambda: platform.refresh_data.get(request=company)),
        (404, lambda: platform.refresh_data.all(request=company)),
        (404, lambda: platform.refresh_data.by_data_type(request={**company, "data_type": "invoices"})),
        (404, lambda: platform.refresh_data.list_pull_operations(request=company)),
        (404, lambda: platform.connections.update_authorization(request={**ids, "request_body": {"a": "b"}})),
        (404, lambda: platform.companies.add_product(request={**company, "product_identifier": "p"})),
        (404, lambda: platform.companies.remove_product(request={**company, "product_identifier": "p"})),
        (404, lambda: platform.companies.get_company_sync_settings(request=company)),
        (404, lambda: platform.connection_management.get(request=company)),
        (403, lambda: platform.settings.get_sync_settings()),
        (403, lambda: platform.settings.update_sync_settings(request={"client_id": KEY, "settings": [setting]})),
        (403, lambda: platform.webhooks.rotate_zapier_key()),
    ]
    for status, call in calls:
        with pytest.raises(errors.ErrorMessage) as refused:
            call()
        assert refused.value.status_code == status
        assert "is not supported for Xero bank feeds" in refused.value.data.error
