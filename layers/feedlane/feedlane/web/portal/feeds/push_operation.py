"""The page of one push operation: what was said of it, and what has become of each of its transactions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from feedlane.companies import items as company_items
from feedlane.errors import Finding
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import PushOperation
from feedlane.pushes.outcomes import TransactionOutcome, outcome_page
from feedlane.store.store import Store
from feedlane.web.portal.feeds.feed_lines import OUTCOME_STATES
from feedlane.web.portal.feeds.feeds import feed_path
from feedlane.web.portal.feeds.push_operations import DOOR_WORDS, status_state
from feedlane.web.portal.listing import PAGE_SIZE, ListQuery, Page, number_in, numbered_page
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import State, Tone
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site

TABS = {"messages": "Messages", "transactions": "Transactions"}
_ERROR, _WARNING = State("error", "error", Tone.BAD), State("warning", "warning", Tone.WARN)


@dataclass(frozen=True)
class Message:
    """What the validation said of a transaction, or of the push as a whole."""

    finding: Finding
    kind: State


@dataclass(frozen=True)
class TransactionRow:
    outcome: TransactionOutcome
    state: State
    messages: Sequence[Message]


def show(site: Site, request: Request, company_id: str, key: str) -> Response:
    operator = require_operator(site, request)
    operation = push_operation_items.operation(site.store, company_id, key)
    messages = [*_messages(operation.errors, _ERROR), *_messages(operation.warnings, _WARNING)]
    tab = request.query.get("show", "")
    tab = tab if tab in TABS else "messages" if messages else "transactions"
    account = company_items.find_source_account(site.store, operation.connection_id, operation.account_id)
    took = operation.completed_on - operation.requested_on if operation.completed_on else None
    return portal_page(
        site,
        operator,
        "feeds/push_operation",
        title="Push operation",
        section="companies",
        operation=operation,
        company=company_items.find_company(site.store, company_id),
        account=account,
        feed_path=feed_path(operation.connection_id, operation.account_id),
        state=status_state(operation),
        door=DOOR_WORDS[operation.door],
        took=took,
        messages=len(messages),
        tab=tab,
        tabs=TABS,
        **_tab(site.store, request, operation, messages, tab),
    )


def _tab(
    store: Store, request: Request, operation: PushOperation, messages: Sequence[Message], tab: str
) -> dict[str, Any]:
    start, query = number_in(request, "start", 0), ListQuery(request.path, {"show": tab})
    page: Page[Any]
    if tab == "messages":
        page = numbered_page(query, messages[start : start + PAGE_SIZE], start, len(messages))
    else:
        found = outcome_page(store, operation, start, PAGE_SIZE)
        rows = [_row(outcome, messages) for outcome in found.outcomes]
        page = numbered_page(query, rows, start, found.total)
    return {"page": page}


def _row(outcome: TransactionOutcome, messages: Iterable[Message]) -> TransactionRow:
    said = [message for message in messages if message.finding.item_id == outcome.id]
    return TransactionRow(outcome, OUTCOME_STATES[outcome.outcome], said)


def _messages(findings: Iterable[Finding], kind: State) -> Iterable[Message]:
    return (Message(finding, kind) for finding in findings)
