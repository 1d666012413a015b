"""Mapping of source accounts to Xero bank accounts."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import MappingBody, parse_body
from feedlane.codat.errors import RefusedInput
from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import NotFound, Refused
from feedlane.feeds import items as feed_items
from feedlane.feeds.upstream import TargetAccount
from feedlane.mapping import mapping
from feedlane.mapping import targets as mapping_targets
from feedlane.mapping.shapes import mapped_json, mapping_json

PATH = "/companies/<company_id>/connections/<connection_id>/bankFeedAccounts/mapping"

router = Routes()


@router.get(PATH)
def get_mapping(company_id: str, connection_id: str) -> Response[str]:
    parts = current_parts()
    connection = company_items.connection(parts.store, company_id, connection_id)
    accounts = company_items.source_accounts(parts.store, connection_id)
    balances = feed_items.ledger_balances(parts.store, accounts)
    if not connection.is_linked or all(account.mapping for account in accounts):
        return ok([mapping_json(account, [], ledger=balances.get(account.id)) for account in accounts])
    access = mapping.access_to(connection)
    targets = parts.upstream.target_accounts(access)
    fed = mapping_targets.fed_targets(parts.ports, parts.upstream, access, accounts)

    def options_for(account: SourceAccount) -> list[TargetAccount]:
        return [] if account.mapping else mapping_targets.target_options(targets, account, fed)

    country = connection.tenant.country if connection.tenant else ""
    return ok([mapping_json(account, options_for(account), country, balances.get(account.id)) for account in accounts])


@router.post(PATH)
def create_mapping(company_id: str, connection_id: str) -> Response[str]:
    body = parse_body(MappingBody, router.body)
    parts = current_parts()
    connection = company_items.connection(parts.store, company_id, connection_id)
    account = company_items.find_source_account(parts.store, connection_id, body.source_account_id)
    if account is None:
        raise NotFound("bank account", body.source_account_id)
    try:
        mapped_account = mapping.map_account(
            parts.ports,
            parts.upstream,
            parts.clock(),
            connection,
            account,
            body.target_account_id or None,
            body.feed_start_date,
        )
    except Refused as refused:
        if refused.problem.status in {401, 403}:
            raise
        raise RefusedInput(refused.problem) from refused
    return ok(mapped_json(mapped_account))
