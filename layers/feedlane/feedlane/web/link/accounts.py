"""The mapping page: which of the customer's accounts feeds which Xero bank account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from feedlane.clock import years_before
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import AppKeysRejected, FeedlaneError, Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds.upstream import TargetAccount
from feedlane.holds import items as hold_items
from feedlane.ids import feed_id
from feedlane.link.standing_errors import standing_errors
from feedlane.mapping import hosted, mapping
from feedlane.mapping import targets as mapping_targets
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.store.table import ConditionFailed
from feedlane.texts import say
from feedlane.web.form_errors import FormError
from feedlane.web.link import paths
from feedlane.web.link.form import NEW_ACCOUNT, Row, check_rows, first_rows, renumber, rows_in
from feedlane.web.link.plain_words import explain, explain_error, explain_hold
from feedlane.web.link.session import Visit, require_visit
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect, see_other
from feedlane.web.site import Site

DONE_MESSAGES = ("connected", "disconnected")


@dataclass
class Targets:
    """The Xero accounts that each unmapped account can feed, by its id; or why they are unknown.

    `others` are the names of those that somebody else feeds through the same Xero app.
    """

    by_account: dict[str, list[TargetAccount]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    problem: str = ""
    needs_reconnection: bool = False
    may_pass: bool = False
    """Whether trying again may help."""


def show(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    visit = require_visit(site, request, company_id, connection_id)
    if visit.session.choice is not None and not visit.connection.is_linked:
        return redirect(request.url(paths.organisation(visit.connection)))
    hosted.adopt_mapped(site.ports, site.upstream, site.clock(), visit.connection)
    accounts = company_items.source_accounts(site.store, connection_id)
    targets = _find_targets(site, visit, accounts)
    rows = first_rows(_unmapped(accounts), targets.by_account, _today(site, visit), _country(visit))
    done = request.query.get("done", "")
    return _page(site, visit, accounts, targets, rows, say(f"accounts.done-{done}") if done in DONE_MESSAGES else "")


def connect(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Connects the rows that are ticked. What fails stays on the page, with what was entered."""
    visit = require_visit(site, request, company_id, connection_id)
    rows = rows_in(_last_values(request))
    accounts = company_items.source_accounts(site.store, visit.connection.id)
    targets = _find_targets(site, visit, accounts)
    if targets.problem:
        return _page(site, visit, accounts, targets, rows, status=503 if targets.may_pass else 422)
    by_id = {account.id: account for account in accounts}
    check_rows(rows, _unmapped(accounts), targets.by_account, _today(site, visit))
    wanted = [row for row in rows if row.included]
    if wanted and not any(row.errors for row in wanted):
        done = [row for row in wanted if _map_row(site, visit, row, by_id[row.source])]
        if done == wanted:
            return see_other(f"{request.url(paths.accounts(visit.connection))}?done=connected")
        rows = [row for row in rows if row not in done]
        accounts = company_items.source_accounts(site.store, visit.connection.id)
    fault = "" if wanted else say("form.none")
    return _page(site, visit, accounts, targets, rows, status=422, fault=fault)


def _map_row(site: Site, visit: Visit, row: Row, account: SourceAccount) -> bool:
    """Whether the account was mapped; otherwise the row has the error."""
    target = None if row.target == NEW_ACCOUNT else row.target
    try:
        mapping.map_account(site.ports,
            site.upstream, site.clock(), visit.connection, account, target,
            row.start or None,
        )  # fmt: skip
    except (FeedlaneError, ConditionFailed) as error:
        row.errors["target"] = say("form.target-fed") if _is_about_target(error) else explain_error(error)
        return False
    return True


def _is_about_target(error: Exception) -> bool:
    """Whether the Xero account was taken since the page was shown."""
    return isinstance(error, Invalid) and any(finding.item_id == "targetAccountId" for finding in error.findings)


def _find_targets(site: Site, visit: Visit, accounts: list[SourceAccount]) -> Targets:
    """Asks Xero only if there is an account to map."""
    unmapped = _unmapped(accounts)
    if not unmapped:
        return Targets()
    if not visit.connection.is_linked:
        return Targets(problem=say("accounts.not-linked"), needs_reconnection=True)
    try:
        access = mapping.access_to(visit.connection)
        target_accounts = site.upstream.target_accounts(access)
        fed = mapping_targets.fed_targets(site.ports, site.upstream, access, accounts)
    except (Refused, ReconnectionNeeded, Invalid) as error:
        return Targets(problem=explain_error(error), needs_reconnection=True)
    except (Unavailable, AppKeysRejected) as error:
        return Targets(problem=explain_error(error), may_pass=isinstance(error, Unavailable))
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
    fault: str = "",
) -> Response:
    connection = visit.connection
    unmapped = {account.id: account for account in _unmapped(accounts)}
    rows = renumber([row for row in rows if row.source in unmapped])
    errors = [FormError("", fault)] if fault else _form_errors(rows, unmapped)
    today = _today(site, visit)
    return site.customer_page(
        "link/accounts",
        status,
        title=say("accounts.title"),
        organisation=connection.organisation.name if connection.organisation else "",
        is_linked=connection.is_linked,
        page_path=paths.accounts(connection),
        finish_path=paths.finish(connection),
        reconnect_path=paths.reconnect(connection),
        disconnect_path=paths.disconnect(connection),
        disconnect_account_path=paths.disconnect_account(connection),
        form_token=visit.form_token,
        unmapped=unmapped,
        mapped=[account for account in accounts if account.mapping is not None],
        balances=feed_items.ledger_balances(site.store, accounts),
        is_connecting=any(account.status == "connecting" for account in accounts),
        targets=targets,
        faults=_faults(site, connection),
        account_notes=_account_notes(site, accounts),
        rows=rows,
        errors=errors,
        is_sent=status != 200,
        left_over=len(unmapped) - len(rows),
        new_account=NEW_ACCOUNT,
        earliest_start=years_before(today).isoformat(),
        latest_start=today.isoformat(),
        done=done,
    )


def _faults(site: Site, connection: Connection) -> list[str]:
    """Why the connection as a whole is blocked."""
    settings = settings_items.settings(site.store)
    faults = standing_errors(site.store, settings, [connection])[connection.id]
    if fault := connection.reconnection_fault:
        faults = [*faults, fault]
    return list(dict.fromkeys(map(explain, faults)))


def _form_errors(rows: list[Row], accounts: Mapping[str, SourceAccount]) -> list[FormError]:
    """All that is wrong with the rows, each with its field and the name of its account."""
    return [
        FormError(f"{name}-{row.number}", say("form.of", account=accounts[row.source].account_name, fault=fault))
        for row in rows
        for name, fault in row.errors.items()
    ]


def _account_notes(site: Site, accounts: list[SourceAccount]) -> list[str]:
    """What stops a single account, for the customer to mend, each in a sentence that names the account."""
    names = {feed_id(account.connection_id, account.id): account.account_name for account in accounts}
    notes = {
        hold.subject: explain_hold(hold)
        for hold in hold_items.holds_on(site.store, [(Scope.FEED, subject) for subject in names])
    }
    return [say("accounts.note", account=names[subject], note=note) for subject, note in notes.items() if note]


def _unmapped(accounts: list[SourceAccount]) -> list[SourceAccount]:
    return [account for account in accounts if account.mapping is None]


def _country(visit: Visit) -> str:
    return visit.connection.tenant.country if visit.connection.tenant else ""


def _today(site: Site, visit: Visit) -> date:
    return mapping.today_of(visit.connection, site.clock())


def _last_values(request: Request) -> dict[str, str]:
    return {name: values[-1].strip() for name, values in request.form.items()}
