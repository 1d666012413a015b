"""The mapping page: which of the customer's accounts feeds which Xero bank account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from feedlane.clock import local_date, years_before
from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import AppKeysRejected, FeedlaneError, Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import TargetAccount
from feedlane.link.standing_errors import standing_errors
from feedlane.mapping import items as mapping_items
from feedlane.mapping import mapping, unmapping
from feedlane.settings import items as settings_items
from feedlane.store.table import ConditionFailed
from feedlane.web.link import paths
from feedlane.web.link.form import (
    NEW_ACCOUNT,
    ROWS_MAX,
    Row,
    check_rows,
    first_rows,
    renumber,
    rows_in,
    with_one_more_row,
)
from feedlane.web.link.plain_words import explain, explain_error
from feedlane.web.link.session import Visit, require_visit
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect, see_other
from feedlane.web.site import Site

DONE_MESSAGES = {
    "connected": "Done. Transactions flow into Xero once the account shows as connected.",
    "disconnected": "Disconnected. The account stays in Xero; no more transactions are sent to it.",
}


@dataclass
class Targets:
    """The Xero accounts that each unmapped account may feed, or why they are not known."""

    of_account: dict[str, list[TargetAccount]] = field(default_factory=dict)
    problem: str = ""
    reconnect: bool = False


def show(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    own = require_visit(site, request, company_id, connection_id)
    if own.session.choice is not None and not own.connection.is_linked:
        return redirect(request.url(paths.organisation(own.connection)))
    accounts = company_items.source_accounts(site.store, connection_id)
    targets = _find_targets(site, own, accounts)
    rows = rows_in(request.query) or first_rows(_unmapped(accounts), targets.of_account, _today(site, own))
    return _page(site, own, accounts, targets, rows, DONE_MESSAGES.get(request.query.get("done", ""), ""))


def change(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """The page's forms: connect the rows, show one more row, or disconnect an account."""
    own = require_visit(site, request, company_id, connection_id)
    here = request.url(paths.accounts(own.connection))
    match request.field("action"):
        case "add":
            unmapped = _unmapped(company_items.source_accounts(site.store, connection_id))
            rows = with_one_more_row(rows_in(_last_values(request)), unmapped, _today(site, own))
            return see_other(f"{here}?{urlencode(_rows_as_query(rows))}#row-{len(rows)}")
        case "disconnect":
            return _disconnect_account(site, own, request.field("account"), here)
        case _:
            return _connect_rows(site, own, rows_in(_last_values(request)), here)


def _connect_rows(site: Site, own: Visit, rows: list[Row], here: str) -> Response:
    accounts = company_items.source_accounts(site.store, own.connection.id)
    targets = _find_targets(site, own, accounts)
    by_id = {account.id: account for account in accounts}
    rows = check_rows(rows, _unmapped(accounts), targets.of_account)
    if not targets.problem and not any(row.errors for row in rows):
        rows = [row for row in rows if not _map_row(site, own, row, by_id[row.source])]
        if not rows:
            return see_other(f"{here}?done=connected")
        accounts = company_items.source_accounts(site.store, own.connection.id)
    return _page(site, own, accounts, targets, rows, status=422)


def _map_row(site: Site, own: Visit, row: Row, account: SourceAccount) -> bool:
    """Whether it went well; else the row says what did not."""
    target = None if row.target == NEW_ACCOUNT else row.target
    try:
        mapping.map_account(site.ports,
            site.upstream, site.clock(), own.connection, account, target,
            row.start or None,
        )  # fmt: skip
    except (FeedlaneError, ConditionFailed) as error:
        row.errors["target"] = explain_error(error)
        return False
    return True


def _disconnect_account(site: Site, own: Visit, account_id: str, here: str) -> Response:
    account = company_items.find_source_account(site.store, own.connection.id, account_id)
    if account is None or account.mapping is None:
        return see_other(here)
    try:
        unmapping.unmap(site.ports, site.upstream, site.clock(), own.connection, account)
    except (Unavailable, AppKeysRejected, ConditionFailed) as error:
        accounts = company_items.source_accounts(site.store, own.connection.id)
        targets = Targets(problem=explain_error(error))
        return _page(site, own, accounts, targets, [], status=503)
    return see_other(f"{here}?done=disconnected")


def _find_targets(site: Site, own: Visit, accounts: list[SourceAccount]) -> Targets:
    """Asked of Xero only if there is an account to map."""
    unmapped = _unmapped(accounts)
    if not unmapped:
        return Targets()
    try:
        access = mapping.access_to(own.connection)
        found = site.upstream.target_accounts(access)
    except (Refused, ReconnectionNeeded, Invalid) as error:
        return Targets(problem=explain_error(error), reconnect=True)
    except (Unavailable, AppKeysRejected) as error:
        return Targets(problem=explain_error(error))
    fed = mapping_items.fed_accounts(site.store, access.tenant_id)
    return Targets({account.id: mapping.target_options(found, account, fed) for account in unmapped})


def _page(
    site: Site,
    own: Visit,
    accounts: list[SourceAccount],
    targets: Targets,
    rows: list[Row],
    done: str = "",
    status: int = 200,
) -> Response:
    settings = settings_items.settings(site.store)
    need = own.connection.reconnection_fault
    standing = standing_errors(site.store, settings, [own.connection])[own.connection.id] + ([need] if need else [])
    unmapped = _unmapped(accounts)
    today = _today(site, own)
    return site.page(
        "accounts",
        status,
        title="Manage connected accounts",
        organisation=own.connection.tenant,
        here=paths.accounts(own.connection),
        finish=paths.finish(own.connection),
        reconnect=paths.reconnect(own.connection),
        form_token=own.form_token,
        unmapped=unmapped,
        mapped=[account for account in accounts if account.mapping is not None],
        connecting=any(account.status == "connecting" for account in accounts),
        targets=targets,
        stopped=list(dict.fromkeys(map(explain, standing))),
        choices=_choices(unmapped, targets.of_account),
        rows=renumber(rows[: len(unmapped)]),
        may_add=len(rows) < min(len(unmapped), ROWS_MAX),
        new=NEW_ACCOUNT,
        earliest=years_before(today).isoformat(),
        done=done,
    )


def _choices(
    unmapped: list[SourceAccount], targets: Mapping[str, list[TargetAccount]]
) -> dict[str, list[TargetAccount]]:
    """The options of the drop-down by currency and kind: one group if all accounts are alike."""
    groups: dict[str, list[TargetAccount]] = {}
    for account in unmapped:
        kind = "credit cards" if account.kind == "CREDITCARD" else "bank accounts"
        groups.setdefault(f"{account.currency} {kind}", targets.get(account.id, []))
    return groups


def _unmapped(accounts: list[SourceAccount]) -> list[SourceAccount]:
    return [account for account in accounts if account.mapping is None]


def _today(site: Site, own: Visit) -> date:
    zone = own.connection.tenant.time_zone if own.connection.tenant else "UTC"
    return local_date(site.clock(), zone)


def _last_values(request: Request) -> dict[str, str]:
    return {name: values[-1].strip() for name, values in request.form.items()}


def _rows_as_query(rows: list[Row]) -> dict[str, str]:
    """What has been entered, so that the next page shows it again. Ids only, and never the form's token."""
    entered = {"rows": str(len(rows))}
    for row in rows:
        values = {"source": row.source, "target": row.target, "start": row.start}
        entered |= {f"{name}-{row.number}": value for name, value in values.items() if value}
    return entered
