"""The mapping page: which of the customer's accounts feeds which Xero bank account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from feedlane import mapping, unmapping
from feedlane.clock import local_date, years_before
from feedlane.connection_errors import standing_errors
from feedlane.errors import AppKeysRejected, FeedlaneError, Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.source_account import SourceAccount
from feedlane.store.table import ConditionFailed
from feedlane.upstream import TargetAccount
from feedlane.web import addresses
from feedlane.web.link_form import MOST_ROWS, NEW, Row, checked_rows, first_rows, numbered, one_more, rows_in
from feedlane.web.link_session import Visit, visit
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect, see_other
from feedlane.web.site import Site
from feedlane.web.xero_words import in_plain_words, of_reason

DONE = {
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
    own = visit(site, request, company_id, connection_id)
    if own.session.choice is not None and not own.connection.is_linked:
        return redirect(request.url(addresses.organisation(own.connection)))
    accounts = site.store.source_accounts(connection_id)
    targets = _targets(site, own, accounts)
    rows = rows_in(request.query) or first_rows(_unmapped(accounts), targets.of_account, _today(site, own))
    return _page(site, own, accounts, targets, rows, DONE.get(request.query.get("done", ""), ""))


def change(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """The page's forms: connect the rows, show one more row, or disconnect an account."""
    own = visit(site, request, company_id, connection_id)
    here = request.url(addresses.accounts(own.connection))
    match request.field("action"):
        case "add":
            unmapped = _unmapped(site.store.source_accounts(connection_id))
            rows = one_more(rows_in(_last_values(request)), unmapped, _today(site, own))
            return see_other(f"{here}?{urlencode(_query(rows))}#row-{len(rows)}")
        case "disconnect":
            return _disconnected(site, own, request.field("account"), here)
        case _:
            return _connected(site, own, rows_in(_last_values(request)), here)


def _connected(site: Site, own: Visit, rows: list[Row], here: str) -> Response:
    accounts = site.store.source_accounts(own.connection.id)
    targets = _targets(site, own, accounts)
    by_id = {account.id: account for account in accounts}
    rows = checked_rows(rows, _unmapped(accounts), targets.of_account)
    if not targets.problem and not any(row.errors for row in rows):
        rows = [row for row in rows if not _mapped(site, own, row, by_id[row.source])]
        if not rows:
            return see_other(f"{here}?done=connected")
        accounts = site.store.source_accounts(own.connection.id)
    return _page(site, own, accounts, targets, rows, status=422)


def _mapped(site: Site, own: Visit, row: Row, account: SourceAccount) -> bool:
    """Whether it went well; else the row says what did not."""
    target = None if row.target == NEW else row.target
    try:
        mapping.map_account(
            site.store, site.upstream, site.queues, site.clock(), site.new_id, own.connection, account, target,
            row.start or None,
        )  # fmt: skip
    except (FeedlaneError, ConditionFailed) as error:
        row.errors["target"] = in_plain_words(error)
        return False
    return True


def _disconnected(site: Site, own: Visit, account_id: str, here: str) -> Response:
    account = site.store.find_source_account(own.connection.id, account_id)
    if account is None or account.mapping is None:
        return see_other(here)
    try:
        unmapping.unmap(site.store, site.upstream, site.queues, site.clock(), site.new_id, own.connection, account)
    except (Unavailable, AppKeysRejected, ConditionFailed) as error:
        accounts = site.store.source_accounts(own.connection.id)
        targets = Targets(problem=in_plain_words(error))
        return _page(site, own, accounts, targets, [], status=503)
    return see_other(f"{here}?done=disconnected")


def _targets(site: Site, own: Visit, accounts: list[SourceAccount]) -> Targets:
    """Asked of Xero only if there is an account to map."""
    unmapped = _unmapped(accounts)
    if not unmapped:
        return Targets()
    try:
        access = mapping.access_to(own.connection)
        found = site.upstream.target_accounts(access)
    except (Refused, ReconnectionNeeded, Invalid) as error:
        return Targets(problem=in_plain_words(error), reconnect=True)
    except (Unavailable, AppKeysRejected) as error:
        return Targets(problem=in_plain_words(error))
    fed = mapping.fed_accounts(site.store, access.tenant_id)
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
    settings = site.store.settings()
    need = own.connection.need
    standing = standing_errors(site.store, settings, [own.connection])[own.connection.id] + ([need] if need else [])
    unmapped = _unmapped(accounts)
    today = _today(site, own)
    return site.page(
        "accounts",
        status,
        title="Manage connected accounts",
        organisation=own.connection.tenant,
        here=addresses.accounts(own.connection),
        finish=addresses.finish(own.connection),
        reconnect=addresses.reconnect(own.connection),
        form_token=own.form_token,
        unmapped=unmapped,
        mapped=[account for account in accounts if account.mapping is not None],
        connecting=any(account.status == "connecting" for account in accounts),
        targets=targets,
        stopped=list(dict.fromkeys(map(of_reason, standing))),
        choices=_choices(unmapped, targets.of_account),
        rows=numbered(rows[: len(unmapped)]),
        may_add=len(rows) < min(len(unmapped), MOST_ROWS),
        new=NEW,
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


def _query(rows: list[Row]) -> dict[str, str]:
    """What has been entered, so that the next page shows it again. Ids only, and never the form's token."""
    entered = {"rows": str(len(rows))}
    for row in rows:
        values = {"source": row.source, "target": row.target, "start": row.start}
        entered |= {f"{name}-{row.number}": value for name, value in values.items() if value}
    return entered
