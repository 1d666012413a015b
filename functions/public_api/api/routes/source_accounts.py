"""Source accounts of a connection."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from api.answers import no_content, ok
from api.parts import current_parts
from api.paths import account_id_in
from api.requests import Routes
from feedlane.codat.bodies import (
    BATCH_BODY_BYTES_MAX,
    SourceAccountBody,
    SourceAccountChanges,
    json_in,
    parse_body,
    validate_body,
)
from feedlane.companies import items as company_items
from feedlane.companies import source_accounts
from feedlane.companies.connection import Connection
from feedlane.companies.shapes import batch_item_json, source_account_json
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import Invalid
from feedlane.feeds import items as feed_items
from feedlane.mapping import unmapping

PATH = "/companies/<company_id>/connections/<connection_id>/connectionInfo/bankFeedAccounts"

router = Routes()


@router.post(PATH)
def create_source_account(company_id: str, connection_id: str) -> Response[str]:
    connection = company_items.connection(current_parts().store, company_id, connection_id)
    return ok(source_account_json(_create(connection, json_in(router.body))))


@router.post(f"{PATH}/batch")
def create_source_accounts(company_id: str, connection_id: str) -> Response[str]:
    """201 if all were created, otherwise 207, even if all failed: the SDKs read no other status."""
    connection = company_items.connection(current_parts().store, company_id, connection_id)
    items = json_in(router.body, BATCH_BODY_BYTES_MAX)
    batch_max = source_accounts.BATCH_ACCOUNTS_MAX
    if not isinstance(items, list) or not 1 <= len(items) <= batch_max:
        raise Invalid(f"The body must be an array of 1 to {batch_max} source accounts.")
    results = [_batch_item(connection, item) for item in items]
    return ok(results, 201 if all("account" in item["result"] for item in results) else 207)


@router.get(PATH)
def list_source_accounts(company_id: str, connection_id: str) -> Response[str]:
    store = current_parts().store
    company_items.connection(store, company_id, connection_id)
    accounts = company_items.source_accounts(store, connection_id)
    balances = feed_items.ledger_balances(store, accounts)
    return ok([source_account_json(account, balances.get(account.id)) for account in accounts])


@router.patch(f"{PATH}/<account>")
def update_source_account(company_id: str, connection_id: str, account: str) -> Response[str]:
    parts = current_parts()
    connection = company_items.connection(parts.store, company_id, connection_id)
    account_before = company_items.source_account(parts.store, connection_id, account_id_in(account))
    changes = parse_body(SourceAccountChanges, router.body).model_dump(exclude_none=True)
    ledger = feed_items.ledger_balances(parts.store, [account_before]).get(account_before.id)
    changed = source_accounts.apply_changes(account_before, changes, parts.clock(), ledger)
    if source_accounts.disconnects_account(account_before, changes):
        changed = unmapping.unmap(parts.ports, parts.upstream, parts.clock(), connection, changed)
    else:
        parts.store.commit(company_items.put_source_account(changed))
    return ok(source_account_json(changed, ledger))


@router.delete(f"{PATH}/<account>")
def delete_source_account(company_id: str, connection_id: str, account: str) -> Response[str]:
    parts = current_parts()
    connection = company_items.connection(parts.store, company_id, connection_id)
    source_account = company_items.source_account(parts.store, connection_id, account_id_in(account))
    unmapping.remove_account(parts.ports, parts.upstream, parts.clock(), connection, source_account)
    return no_content()


def _create(connection: Connection, value: Any) -> SourceAccount:
    body = validate_body(SourceAccountBody, value)
    parts = current_parts()
    nested = {"routing_info", "account_info"}
    given = body.model_dump(by_alias=True, exclude_none=True, include=nested)
    fields = body.model_dump(exclude=nested)
    return source_accounts.create(parts.store, parts.clock(), connection, given=given, **fields)


def _batch_item(connection: Connection, item: Any) -> dict[str, Any]:
    id = str(item.get("id", "")) if isinstance(item, dict) else ""
    try:
        return batch_item_json(id, _create(connection, item))
    except source_accounts.AccountAlreadyExists:
        return batch_item_json(id, None, 409, source_accounts.ID_TAKEN)
    except Invalid as error:
        return batch_item_json(id, None, 400, error.message)
