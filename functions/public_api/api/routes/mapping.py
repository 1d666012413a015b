"""Mapping of source accounts to Xero bank accounts."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane import mapping
from feedlane.codat.bodies import MappingBody, parsed
from feedlane.codat.errors import RefusedInput
from feedlane.codat.source_accounts import mapped_json, mapping_json
from feedlane.errors import NotFound, Refused

PATH = "/companies/<company_id>/connections/<connection_id>/bankFeedAccounts/mapping"

router = Routes()


@router.get(PATH)
def get_mapping(company_id: str, connection_id: str) -> Response[str]:
    current = parts.current
    connection = current.store.connection(company_id, connection_id)
    accounts = current.store.source_accounts(connection_id)
    if not connection.is_linked or all(account.mapping for account in accounts):
        return ok([mapping_json(account, []) for account in accounts])
    access = mapping.access_to(connection)
    targets, fed = current.upstream.target_accounts(access), mapping.fed_accounts(current.store, access.tenant_id)
    return ok(
        [
            mapping_json(account, [] if account.mapping else mapping.target_options(targets, account, fed))
            for account in accounts
        ]
    )


@router.post(PATH)
def create_mapping(company_id: str, connection_id: str) -> Response[str]:
    body, current = parsed(MappingBody, router.body), parts.current
    connection = current.store.connection(company_id, connection_id)
    account = current.store.find_source_account(connection_id, body.source_account_id)
    if account is None:
        raise NotFound("bank account", body.source_account_id)
    try:
        mapped_account = mapping.map_account(
            current.store, current.upstream, current.queues, current.clock(), current.new_id, connection, account,
            body.target_account_id or None, body.feed_start_date,
        )  # fmt: skip
    except Refused as refused:
        if refused.problem.status in {401, 403}:
            raise
        raise RefusedInput(refused.problem) from refused
    return ok(mapped_json(mapped_account))
