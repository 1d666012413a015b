"""Pushes of bank transactions, and push operations."""

from __future__ import annotations

from itertools import islice

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.paths import account_id_in
from api.requests import Routes
from feedlane.codat.bodies import BODY_BYTES_MAX, require_size
from feedlane.codat.errors import NotSupported
from feedlane.codat.paging import (
    SEARCHED_MAX,
    matches,
    page_envelope,
    page_of,
    page_request,
    require_searchable,
    slice_of,
)
from feedlane.companies import items as company_items
from feedlane.doors import whole_number
from feedlane.errors import Conflict, Invalid
from feedlane.feeds import push_operation_items
from feedlane.pushes import api_door
from feedlane.pushes.options import bank_transactions_option
from feedlane.pushes.outcomes import outcome_page
from feedlane.pushes.shapes import (
    DATA_TYPE,
    OUTCOME_FIELDS,
    PUSH_FIELDS,
    listed_operation_json,
    outcome_json,
    push_operation_json,
    validation_json,
)

CONNECTION = "/companies/<company_id>/connections/<connection_id>"

router = Routes()


@router.post(f"{CONNECTION}/push/bankAccounts/<account>/bankTransactions")
def push_transactions(company_id: str, connection_id: str, account: str) -> Response[str]:
    """200 with 202 in the body, and 400 for a conflict: the SDKs know no other success here, and no 409."""
    parts = current_parts()
    try:
        operation = api_door.accept(
            parts.ports,
            parts.clock(),
            company_id,
            connection_id,
            account_id_in(account),
            _body(),
            _timeout(),
            router.header("idempotency-key"),
            router.parameters.get("backfill", ""),
        )
    except Conflict as conflict:
        raise Invalid(str(conflict)) from conflict
    return ok(push_operation_json(operation))


@router.post(f"{CONNECTION}/push/bankAccounts/<account>/bankTransactions/validate")
def validate_transactions(company_id: str, connection_id: str, account: str) -> Response[str]:
    parts = current_parts()
    try:
        errors, warnings = api_door.validate(
            parts.store,
            parts.clock(),
            company_id,
            connection_id,
            account_id_in(account),
            _body(),
            router.parameters.get("backfill", ""),
        )
    except Conflict as conflict:
        raise Invalid(str(conflict)) from conflict
    return ok({"valid": not errors, "validation": validation_json(errors, warnings)})


@router.get(f"{CONNECTION}/options/bankAccounts/<account>/bankTransactions")
def get_push_options(company_id: str, connection_id: str, account: str) -> Response[str]:
    store = current_parts().store
    company_items.connection(store, company_id, connection_id)
    company_items.source_account(store, connection_id, account_id_in(account))
    return ok(bank_transactions_option())


@router.get(f"{CONNECTION}/options/<data_type>")
def get_model_options(company_id: str, connection_id: str, data_type: str) -> Response[str]:
    company_items.connection(current_parts().store, company_id, connection_id)
    if data_type != DATA_TYPE:
        raise NotSupported(f"Pushing {data_type}")
    return ok(bank_transactions_option())


@router.get("/companies/<company_id>/push/<push_operation_key>")
def get_push_operation(company_id: str, push_operation_key: str) -> Response[str]:
    store = current_parts().store
    company_items.company(store, company_id)
    return ok(push_operation_json(push_operation_items.operation(store, company_id, push_operation_key)))


@router.get("/companies/<company_id>/push/<push_operation_key>/transactions")
def list_outcomes(company_id: str, push_operation_key: str) -> Response[str]:
    """The outcome of each transaction of a push. A Feedlane extension."""
    store = current_parts().store
    request = page_request(router.parameters, OUTCOME_FIELDS, "Transaction")
    company_items.company(store, company_id)
    operation = push_operation_items.operation(store, company_id, push_operation_key)
    path = f"/companies/{company_id}/push/{push_operation_key}/transactions"
    if request.is_unfiltered:
        page = outcome_page(store, operation, request.start, request.size)
        return ok(page_envelope(request, path, list(map(outcome_json, page.outcomes)), page.total))
    page = outcome_page(store, operation, 0, SEARCHED_MAX)
    require_searchable(page.total, "transactions")
    return ok(page_of(request, path, map(outcome_json, page.outcomes)))


@router.get("/companies/<company_id>/push")
def list_push_operations(company_id: str) -> Response[str]:
    """Newest first. The history is not counted: `totalResults` says if there is a next page, and is exact on the last.

    A filter, or another order, reads the whole history, or the days that the filter names.
    """
    store = current_parts().store
    request = page_request(router.parameters, PUSH_FIELDS, "PushOperation")
    company_items.company(store, company_id)
    path = f"/companies/{company_id}/push"
    if request.is_in_order_of("requestedOnUtc"):
        require_searchable(request.start, "push operations before this page")
        end = request.start + request.size
        oldest_first = request.order_by != "" and not request.is_descending
        operations = push_operation_items.operations_of_company(store, company_id, end + 1, oldest_first)
        listed = list(islice(operations, request.start, None))
        total = request.start + len(listed) if listed else push_operation_items.count_up_to(store, company_id, end)
        return ok(page_envelope(request, path, list(map(listed_operation_json, listed[: request.size])), total))
    days = request.days_of("requestedOnUtc")
    operations = push_operation_items.operations_of_company(store, company_id, SEARCHED_MAX + 1, days=days)
    searched = list(operations)
    require_searchable(len(searched), "push operations (query=requestedOnUtc>2026-05-01 reads fewer)")
    found = matches(request, searched, listed_operation_json)
    return ok(page_envelope(request, path, list(map(listed_operation_json, slice_of(request, found))), len(found)))


def _body() -> str:
    body = router.body or ""
    require_size(body, BODY_BYTES_MAX)
    return body


def _timeout() -> int | None:
    minutes = router.parameters.get("timeoutInMinutes")
    if minutes is None or minutes == "":
        return None
    return whole_number("timeoutInMinutes", minutes, 1, api_door.TIMEOUT_MINUTES_MAX)
