"""The mapping page: which of the customer's accounts feeds which Xero bank account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from feedlane.clock import years_before
from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import AppKeysRejected, FeedlaneError, Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds.upstream import TargetAccount
from feedlane.holds import items as hold_items
from feedlane.ids import feed_id
from feedlane.link.standing_errors import standing_errors
from feedlane.mapping import hosted, mapping, unmapping
from feedlane.mapping import targets as mapping_targets
from feedlane.scope import Scope
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
from feedlane.web.link.plain_words import explain, explain_error, explain_hold
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
    """The Xero accounts that each unmapped account can feed, by its id; or why they are unknown.

    `others` are the names of those that somebody else feeds through the same Xero app.
    """

    by_account: dict[str, list[TargetAccount]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    problem: str = ""
    needs_reconnection: bool = False


def show(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    visit = require_visit(site, request, company_id, connection_id)
    if visit.session.choice is not None and not visit.connection.is_linked:
        return redirect(request.url(paths.organisation(visit.connection)))
    hosted.adopt_mapped(site.ports, site.upstream, site.clock(), visit.connection)
    accounts = company_items.source_accounts(site.store, connection_id)
    targets = _find_targets(site, visit, accounts)
    rows = rows_in(request.query) or first_rows(
        _unmapped(accounts), targets.by_account, _today(site, visit), _country(visit)
    )
    return _page(site, visit, accounts, targets, rows, DONE_MESSAGES.get(request.query.get("done", ""), ""))


def change(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Handles the page's forms: connect the rows, add a row, or disconnect an account."""
    visit = require_visit(site, request, company_id, connection_id)
    page_url = request.url(paths.accounts(visit.connection))
    match request.field("action"):
        case "add":
            unmapped = _unmapped(company_items.source_accounts(site.store, connection_id))
            rows = with_one_more_row(rows_in(_last_values(request)), unmapped, _today(site, visit))
            return see_other(f"{page_url}?{urlencode(_rows_as_query(rows))}#row-{len(rows)}")
        case "disconnect":
            return _disconnect_account(site, visit, request.field("account"), page_url)
        case _:
            return _connect_rows(site, visit, rows_in(_last_values(request)), page_url)


def _connect_rows(site: Site, visit: Visit, rows: list[Row], page_url: str) -> Response:
    accounts = company_items.source_accounts(site.store, visit.connection.id)
    targets = _find_targets(site, visit, accounts)
    by_id = {account.id: account for account in accounts}
    rows = check_rows(rows, _unmapped(accounts), targets.by_account)
    if not targets.problem and not any(row.errors for row in rows):
        rows = [row for row in rows if not _map_row(site, visit, row, by_id[row.source])]
        if not rows:
            return see_other(f"{page_url}?done=connected")
        accounts = company_items.source_accounts(site.store, visit.connection.id)
    return _page(site, visit, accounts, targets, rows, status=422)


def _map_row(site: Site, visit: Visit, row: Row, account: SourceAccount) -> bool:
    """Whether the account was mapped; otherwise the row has the error."""
    target = None if row.target == NEW_ACCOUNT else row.target
    try:
        mapping.map_account(site.ports,
            site.upstream, site.clock(), visit.connection, account, target,
            row.start or None,
        )  # fmt: skip
    except (FeedlaneError, ConditionFailed) as error:
        is_about_start = isinstance(error, Invalid) and error.findings and error.findings[0].item_id == "feedStartDate"
        row.errors["start" if is_about_start else "target"] = explain_error(error)
        return False
    return True


def _disconnect_account(site: Site, visit: Visit, account_id: str, page_url: str) -> Response:
    account = company_items.find_source_account(site.store, visit.connection.id, account_id)
    if account is None or account.mapping is None:
        return see_other(page_url)
    try:
        unmapping.unmap(site.ports, site.upstream, site.clock(), visit.connection, account)
    except (Unavailable, AppKeysRejected, ConditionFailed) as error:
        accounts = company_items.source_accounts(site.store, visit.connection.id)
        targets = Targets(problem=explain_error(error))
        return _page(site, visit, accounts, targets, [], status=503)
    return see_other(f"{page_url}?done=disconnected")


def _find_targets(site: Site, visit: Visit, accounts: list[SourceAccount]) -> Targets:
    """Asks Xero only if there is an account to map."""
    unmapped = _unmapped(accounts)
    if not unmapped:
        return Targets()
    try:
        access = mapping.access_to(visit.connection)
        target_accounts = site.upstream.target_accounts(access)
        fed = mapping_targets.fed_targets(site.ports, site.upstream, access, accounts)
    except (Refused, ReconnectionNeeded, Invalid) as error:
        return Targets(problem=explain_error(error), needs_reconnection=True)
    except (Unavailable, AppKeysRejected) as error:
        return Targets(problem=explain_error(error))
    options = {account.id: mapping_targets.target_options(target_accounts, account, fed) for account in unmapped}
    return Targets(options, others=[target.name for target in target_accounts if target.id in fed.others])


def _page(
    site: Site,
    visit: Visit,
    accounts: list[SourceAccount],
    targets: Targets,
    rows: list[Row],
    done: str = "",
    status: int = 200,
) -> Response:
    settings = settings_items.settings(site.store)
    faults = standing_errors(site.store, settings, [visit.connection])[visit.connection.id]
    if fault := visit.connection.reconnection_fault:
        faults = [*faults, fault]
    unmapped = _unmapped(accounts)
    today = _today(site, visit)
    return site.page(
        "accounts",
        status,
        title="Manage connected accounts",
        organisation=visit.connection.tenant,
        page_path=paths.accounts(visit.connection),
        finish_path=paths.finish(visit.connection),
        reconnect_path=paths.reconnect(visit.connection),
        form_token=visit.form_token,
        unmapped=unmapped,
        mapped=[account for account in accounts if account.mapping is not None],
        balances=feed_items.ledger_balances(site.store, accounts),
        is_connecting=any(account.status == "connecting" for account in accounts),
        targets=targets,
        faults=list(dict.fromkeys(map(explain, faults))),
        option_groups=_option_groups(unmapped, targets.by_account),
        account_notes=_account_notes(site, accounts),
        rows=renumber(rows[: len(unmapped)]),
        can_add_row=len(rows) < min(len(unmapped), ROWS_MAX),
        new_account=NEW_ACCOUNT,
        earliest_start=years_before(today).isoformat(),
        latest_start=today.isoformat(),
        done=done,
    )


def _account_notes(site: Site, accounts: list[SourceAccount]) -> list[str]:
    """What stops a single account, for the customer to mend, each in a sentence that names the account."""
    names = {feed_id(account.connection_id, account.id): account.account_name for account in accounts}
    notes = {
        hold.subject: explain_hold(hold)
        for hold in hold_items.holds_on(site.store, [(Scope.FEED, subject) for subject in names])
    }
    return [f"{names[subject]}: {note}" for subject, note in notes.items() if note]


def _option_groups(
    unmapped: list[SourceAccount], targets: Mapping[str, list[TargetAccount]]
) -> dict[str, list[TargetAccount]]:
    """The drop-down's options by currency and kind of account: one group if all accounts are alike."""
    groups: dict[str, list[TargetAccount]] = {}
    for account in unmapped:
        kind = "credit cards" if account.kind == "CREDITCARD" else "bank accounts"
        groups.setdefault(f"{account.currency} {kind}", targets.get(account.id, []))
    return groups


def _unmapped(accounts: list[SourceAccount]) -> list[SourceAccount]:
    return [account for account in accounts if account.mapping is None]


def _country(visit: Visit) -> str:
    return visit.connection.tenant.country if visit.connection.tenant else ""


def _today(site: Site, visit: Visit) -> date:
    return mapping.today_of(visit.connection, site.clock())


def _last_values(request: Request) -> dict[str, str]:
    return {name: values[-1].strip() for name, values in request.form.items()}


def _rows_as_query(rows: list[Row]) -> dict[str, str]:
    """The entered values, so that the next page shows them again. Never includes the form's token."""
    entered = {"rows": str(len(rows))}
    for row in rows:
        values = {"source": row.source, "target": row.target, "start": row.start}
        entered |= {f"{name}-{row.number}": value for name, value in values.items() if value}
    return entered
