"""Source accounts of a connection."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import no_content, ok
from api.paths import account_id_in
from api.requests import Routes
from feedlane import source_accounts, unmapping
from feedlane.codat.bodies import SourceAccountBody, SourceAccountChanges, json_in, of_json, parsed
from feedlane.codat.source_accounts import batch_item_json, source_account_json
from feedlane.connection import Connection
from feedlane.errors import Invalid
from feedlane.source_account import SourceAccount

PATH = "/companies/<company_id>/connections/<connection_id>/connectionInfo/bankFeedAccounts"

router = Routes()


@router.post(PATH)
def create_source_account(company_id: str, connection_id: str) -> Response[str]:
    connection = parts.current.store.connection(company_id, connection_id)
    return ok(source_account_json(_create(connection, json_in(router.body))))


@router.post(f"{PATH}/batch")
def create_source_accounts(company_id: str, connection_id: str) -> Response[str]:
    """201 if all were created, otherwise 207, even if all failed: the SDKs read no other status."""
    connection = parts.current.store.connection(company_id, connection_id)
    items = json_in(router.body)
    batch_max = source_accounts.MOST_IN_A_BATCH
    if not isinstance(items, list) or not 1 <= len(items) <= batch_max:
        raise Invalid(f"The body must be an array of 1 to {batch_max} source accounts.")
    results = [_batch_item(connection, item) for item in items]
    return ok(results, 201 if all("account" in item["result"] for item in results) else 207)


@router.get(PATH)
def list_source_accounts(company_id: str, connection_id: str) -> Response[str]:
    store = parts.current.store
    store.connection(company_id, connection_id)
    return ok([source_account_json(account) for account in store.source_accounts(connection_id)])


@router.patch(f"{PATH}/<account>")
def update_source_account(company_id: str, connection_id: str, account: str) -> Response[str]:
    current = parts.current
    connection = current.store.connection(company_id, connection_id)
    account_before = current.store.source_account(connection_id, account_id_in(account))
    changes = parsed(SourceAccountChanges, router.body).model_dump(exclude_none=True)
    changed = source_accounts.changed(account_before, changes, current.clock())
    if source_accounts.ends(account_before, changes):
        changed = unmapping.unmap(
            current.store, current.upstream, current.queues, current.clock(), current.new_id, connection, changed
        )
    else:
        current.store.commit(current.store.put_source_account(changed))
    return ok(source_account_json(changed))


@router.delete(f"{PATH}/<account>")
def delete_source_account(company_id: str, connection_id: str, account: str) -> Response[str]:
    current = parts.current
    connection = current.store.connection(company_id, connection_id)
    source_account = current.store.source_account(connection_id, account_id_in(account))
    unmapping.remove_account(
        current.store, current.upstream, current.queues, current.clock(), current.new_id, connection, source_account
    )
    return no_content()


def _create(connection: Connection, value: Any) -> SourceAccount:
    body, current = of_json(SourceAccountBody, value), parts.current
    nested = {"routing_info", "account_info"}
    details = body.model_dump(by_alias=True, exclude_none=True, include=nested)
    fields = body.model_dump(exclude=nested)
    return source_accounts.create(current.store, current.clock(), connection, given=details, **fields)


def _batch_item(connection: Connection, item: Any) -> dict[str, Any]:
    id = str(item.get("id", "")) if isinstance(item, dict) else ""
    try:
        return batch_item_json(id, _create(connection, item))
    except source_accounts.AlreadyThere:
        return batch_item_json(id, None, 409, source_accounts.EXISTS)
    except Invalid as error:
        return batch_item_json(id, None, 400, error.message)
