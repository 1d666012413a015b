"""The Statements endpoints. A POST accepts or rejects statements; accepted ones settle later."""

from decimal import Decimal
from typing import Any

from local.simulator.answers import PROBLEM, Answer
from local.simulator.api_call import ApiCall
from local.simulator.bank_feeds import Refused, bank_feeds_call, read_items, require_guid, require_role
from local.simulator.duplicates import known_lines, remember_lines
from local.simulator.organisations import Organisation
from local.simulator.paging import page_of
from local.simulator.problems import Problem, problem, root
from local.simulator.state import FeedConnection, Simulator, Statement
from local.simulator.statement_checks import StatementDraft, balance_fault, date_fault, lines_fault, read_statement

# Xero's specification shows these types as a problem at the root. The others were observed per item.
ROOT_TYPES = ("invalid-end-balance", "invalid-start-and-end-date")


@bank_feeds_call
def list_statements(sim: Simulator, call: ApiCall) -> Answer:
    pagination, shown = page_of(_listed(sim, call), call.query, sim.behaviour.first_page)
    return Answer(200, {"pagination": pagination, "items": [render(sim, statement) for statement in shown]})


@bank_feeds_call
def show_statement(sim: Simulator, call: ApiCall) -> Answer:
    require_guid(sim, call.path_params["id"], "StatementId")
    statement = sim.statements.get(call.path_params["id"].lower())
    if statement is None or (statement.client_id, statement.tenant_id) != (call.client_id, call.org.tenant_id):
        return root(problem("statement-not-found"))
    return Answer(200, render(sim, statement))


@bank_feeds_call
def create_statements(sim: Simulator, call: ApiCall) -> Answer:
    """Refuses a malformed request as a whole, then accepts or rejects each statement by itself."""
    if not call.org.bank_feeds:
        raise Refused(problem("invalid-organisation-bank-feeds"))
    require_role(call)
    drafts = [read_statement(item, sim.behaviour) for item in read_items(call)]
    return _answer(sim, [_accept(sim, call, draft) for draft in drafts])


def render(sim: Simulator, statement: Statement) -> dict[str, Any]:
    """A statement as Xero shows it: without lines, counts and amounts as strings."""
    content: dict[str, Any] = {
        "id": statement.id,
        "feedConnectionId": statement.feed_connection_id,
        "status": statement.status(sim.now()),
        "startDate": statement.start_date.isoformat(),
        "endDate": statement.end_date.isoformat(),
        "startBalance": _balance(sim, statement.start_balance),
        "endBalance": _balance(sim, statement.end_balance),
        "statementLineCount": _line_count(sim, statement),
    }
    if content["status"] == "REJECTED":
        content["errors"] = statement.errors
    return content


def _line_count(sim: Simulator, statement: Statement) -> str | int:
    count = len(statement.dropped)
    if sim.behaviour.line_count == "kept":
        count -= sum(statement.dropped)
    return str(count) if sim.behaviour.line_count_type == "text" else count


def _listed(sim: Simulator, call: ApiCall) -> list[Statement]:
    """The statements of this app and organisation, once they are old enough for the list."""
    key = (call.client_id, call.org.tenant_id)
    latest = sim.after(-sim.behaviour.listed_after_seconds)
    return [
        statement
        for statement in sim.statements.values()
        if (statement.client_id, statement.tenant_id) == key and statement.received_at <= latest
    ]


def _accept(sim: Simulator, call: ApiCall, draft: StatementDraft) -> dict[str, Any]:
    feed = sim.feed_connections.get(draft.feed_connection_id)
    fault = _feed_fault(sim, call, feed) or _content_fault(sim, call.org, draft)
    if feed is None or fault is not None:
        return _rejected(draft, fault or problem("invalid-feed-connection"))
    dropped = known_lines(sim, feed, draft)
    duplicate = problem("duplicate-statement") if dropped and all(dropped) else None
    if duplicate is not None and sim.behaviour.duplicates_found == "onArrival":
        statement = _remember(sim, feed, draft, dropped, [duplicate], settle_seconds=0)
        return {"id": statement.id, **_rejected(draft, duplicate)}
    fault = _order_fault(sim, feed, draft)
    if fault is not None:
        return _rejected(draft, fault)
    errors = [duplicate] if duplicate is not None else _later_rejection(sim, feed)
    statement = _remember(sim, feed, draft, dropped, errors, settle_seconds=sim.timing.statement_seconds)
    remember_lines(sim, feed, draft, statement)
    return {"id": statement.id, "feedConnectionId": feed.id, "status": "PENDING"}


def _feed_fault(sim: Simulator, call: ApiCall, feed: FeedConnection | None) -> Problem | None:
    now = sim.now()
    if feed is None or feed.client_id != call.client_id or not feed.is_active(now):
        return problem("invalid-feed-connection")
    if feed.tenant_id != call.org.tenant_id:
        return problem("invalid-feed-connection-for-organisation")
    if sim.behaviour.currency_checked == "statements" and feed.currency not in call.org.currencies:
        return problem("invalid-organisation-multi-currency")
    account = call.org.account(feed.account_id)
    return problem("account-not-valid") if account is not None and not account.active else None


def _content_fault(sim: Simulator, organisation: Organisation, draft: StatementDraft) -> Problem | None:
    return date_fault(draft, sim.today(organisation)) or balance_fault(draft) or lines_fault(draft, sim.behaviour)


def _order_fault(sim: Simulator, feed: FeedConnection, draft: StatementDraft) -> Problem | None:
    """Checks order and continuity if the switch is on. Xero does not seem to check either."""
    if sim.behaviour.order == "ignore":
        return None
    earlier = [
        statement
        for statement in sim.statements.values()
        if statement.feed_connection_id == feed.id and statement.status(sim.now()) != "REJECTED"
    ]
    if not earlier:
        return None
    if draft.start_date < earlier[-1].end_date:
        return problem("invalid-start-date", "The start date is before the end date of the last statement.")
    if draft.start_balance != earlier[-1].end_balance:
        return problem("invalid-request", "The start balance is not the end balance of the last statement.")
    return None


def _later_rejection(sim: Simulator, feed: FeedConnection) -> list[Problem]:
    for rejection in sim.later_rejections:
        if rejection.tenant_id in (None, feed.tenant_id) and rejection.feed_connection_id in (None, feed.id):
            rejection.times -= 1
            if rejection.times == 0:
                sim.later_rejections.remove(rejection)
            return rejection.errors
    return []


def _remember(
    sim: Simulator,
    feed: FeedConnection,
    draft: StatementDraft,
    dropped: list[bool],
    errors: list[Problem],
    *,
    settle_seconds: float,
) -> Statement:
    statement = Statement(
        id=sim.new_id(),
        client_id=feed.client_id,
        tenant_id=feed.tenant_id,
        feed_connection_id=feed.id,
        start_date=draft.start_date,
        end_date=draft.end_date,
        start_balance=draft.start_balance,
        end_balance=draft.end_balance,
        received=draft.received,
        dropped=dropped,
        received_at=sim.now(),
        settles_at=sim.after(settle_seconds),
        errors=errors,
    )
    sim.statements[statement.id] = statement
    return statement


def _rejected(draft: StatementDraft, fault: Problem) -> dict[str, Any]:
    return {"feedConnectionId": draft.feed_connection_id, "status": "REJECTED", "errors": [fault]}


def _answer(sim: Simulator, items: list[dict[str, Any]]) -> Answer:
    """202 if all were accepted; a switch if some were. A single rejected one has its own status and shape."""
    accepted = sum(item["status"] == "PENDING" for item in items)
    if accepted:
        return Answer(202 if accepted == len(items) else sim.behaviour.mixed_status, {"items": items})
    statuses = {item["errors"][0]["status"] for item in items}
    fault = items[0]["errors"][0]
    shape = sim.behaviour.rejections
    if shape == "root" or (shape == "documented" and len(items) == 1 and fault["type"] in ROOT_TYPES):
        return root(fault)
    return Answer(statuses.pop() if len(statuses) == 1 else 400, {"items": items}, PROBLEM)


def _balance(sim: Simulator, amount: Decimal) -> dict[str, Any]:
    exact = abs(amount).quantize(Decimal("0.0001"))
    shown: Decimal | str = f"{exact:f}" if sim.behaviour.amounts == "strings" else exact
    return {"amount": shown, "creditDebitIndicator": "DEBIT" if amount < 0 else "CREDIT"}
