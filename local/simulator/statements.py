"""The Statements endpoints. A POST takes or rejects statements; what was taken settles later."""

from decimal import Decimal
from typing import Any

from local.simulator.answers import PROBLEM, Answer
from local.simulator.api_call import ApiCall
from local.simulator.bank_feeds import Refused, bank_feeds_call, read_items
from local.simulator.organisations import new_id
from local.simulator.paging import page_of
from local.simulator.problems import Problem, problem, root
from local.simulator.state import FeedConnection, Simulator, Statement
from local.simulator.statement_checks import StatementDraft, balance_fault, date_fault, read_statement

# The types Xero's own specification shows as a problem at the root; the others were seen per item.
ROOT_TYPES = ("invalid-end-balance", "invalid-start-and-end-date")


@bank_feeds_call
def list_statements(sim: Simulator, call: ApiCall) -> Answer:
    pagination, shown = page_of(_visible(sim, call), call.query)
    return Answer(200, {"pagination": pagination, "items": [render(sim, one) for one in shown]})


@bank_feeds_call
def show_statement(sim: Simulator, call: ApiCall) -> Answer:
    one = sim.statements.get(call.path_params["id"].lower())
    if one is None or (one.client_id, one.tenant_id) != (call.client_id, call.org.tenant_id):
        return root(problem("statement-not-found"))
    return Answer(200, render(sim, one))


@bank_feeds_call
def create_statements(sim: Simulator, call: ApiCall) -> Answer:
    """Refuses the whole request for its form; then takes or rejects each statement by itself."""
    signed = sim.behaviour.signed_amounts == "accept"
    if not call.org.bank_feeds:
        raise Refused(problem("invalid-organisation-bank-feeds"))
    drafts = [read_statement(one, signed_amounts=signed) for one in read_items(call)]
    return _answer(sim, [_take(sim, call, one) for one in drafts])


def render(sim: Simulator, one: Statement) -> dict[str, Any]:
    """A statement as Xero shows it: without lines, counts and amounts as strings."""
    content: dict[str, Any] = {
        "id": one.id,
        "feedConnectionId": one.feed_connection_id,
        "status": one.status(sim.now()),
        "startDate": one.start_date.isoformat(),
        "endDate": one.end_date.isoformat(),
        "startBalance": _balance(sim, one.start_balance),
        "endBalance": _balance(sim, one.end_balance),
        "statementLineCount": str(len(one.dropped) - sum(one.dropped)),
    }
    if content["status"] == "REJECTED":
        content["errors"] = one.errors
    return content


def _visible(sim: Simulator, call: ApiCall) -> list[Statement]:
    key = (call.client_id, call.org.tenant_id)
    return [one for one in sim.statements.values() if (one.client_id, one.tenant_id) == key]


def _take(sim: Simulator, call: ApiCall, draft: StatementDraft) -> dict[str, Any]:
    feed = sim.feed_connections.get(draft.feed_connection_id)
    fault = _feed_fault(sim, call, feed) or date_fault(draft, call.org.today(sim.now())) or balance_fault(draft)
    if feed is None or fault is not None:
        return _rejected(draft, fault or problem("invalid-feed-connection"))
    dropped = _known_lines(sim, feed, draft)
    if dropped and all(dropped):
        duplicate = problem("duplicate-statement")
        statement = _remember(sim, feed, draft, dropped, [duplicate], settle_seconds=0)
        return {"id": statement.id, **_rejected(draft, duplicate)}
    fault = _order_fault(sim, feed, draft)
    if fault is not None:
        return _rejected(draft, fault)
    errors = _later_rejection(sim, feed)
    statement = _remember(sim, feed, draft, dropped, errors, settle_seconds=sim.timing.statement_seconds)
    for transaction_id, known in zip(draft.transaction_ids, dropped, strict=True):
        if transaction_id is not None and not known:
            feed.used_transaction_ids[transaction_id] = statement
    return {"id": statement.id, "feedConnectionId": feed.id, "status": "PENDING"}


def _feed_fault(sim: Simulator, call: ApiCall, feed: FeedConnection | None) -> Problem | None:
    now = sim.now()
    if feed is None or feed.client_id != call.client_id or feed.is_deleted(now) or feed.is_pending(now):
        return problem("invalid-feed-connection")
    if feed.tenant_id != call.org.tenant_id:
        return problem("invalid-feed-connection-for-organisation")
    return None


def _known_lines(sim: Simulator, feed: FeedConnection, draft: StatementDraft) -> list[bool]:
    """True for each line whose id was used, in another statement or above. Lines without id are new."""
    used = feed.used_transaction_ids
    now = sim.now()
    seen: set[str | None] = set()
    known = []
    for one in draft.transaction_ids:
        # What a rejected statement carried was never delivered, so its ids are free again.
        is_used = one is not None and one in used and used[one].status(now) != "REJECTED"
        known.append(is_used or (one is not None and one in seen))
        seen.add(one)
    return known


def _order_fault(sim: Simulator, feed: FeedConnection, draft: StatementDraft) -> Problem | None:
    """Xero seems to check neither order nor continuity; a switch makes the simulator do it."""
    if sim.behaviour.order == "ignore":
        return None
    earlier = [
        one
        for one in sim.statements.values()
        if one.feed_connection_id == feed.id and one.status(sim.now()) != "REJECTED"
    ]
    if not earlier:
        return None
    if draft.start_date < earlier[-1].end_date:
        return problem("invalid-start-date", "The start date is before the end date of the last statement.")
    if draft.start_balance != earlier[-1].end_balance:
        return problem("invalid-request", "The start balance is not the end balance of the last statement.")
    return None


def _later_rejection(sim: Simulator, feed: FeedConnection) -> list[Problem]:
    for one in sim.later_rejections:
        if one.tenant_id in (None, feed.tenant_id) and one.feed_connection_id in (None, feed.id):
            one.times -= 1
            if one.times == 0:
                sim.later_rejections.remove(one)
            return one.errors
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
        id=new_id(),
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
    """202 as soon as one statement was taken. One rejected alone answers with its own status and shape."""
    if any(one["status"] == "PENDING" for one in items):
        return Answer(202, {"items": items})
    statuses = {one["errors"][0]["status"] for one in items}
    fault = items[0]["errors"][0]
    shape = sim.behaviour.rejections
    if shape == "root" or (shape == "documented" and len(items) == 1 and fault["type"] in ROOT_TYPES):
        return root(fault)
    return Answer(statuses.pop() if len(statuses) == 1 else 400, {"items": items}, PROBLEM)


def _balance(sim: Simulator, amount: Decimal) -> dict[str, Any]:
    exact = abs(amount).quantize(Decimal("0.0001"))
    shown: Decimal | str = f"{exact:f}" if sim.behaviour.amounts == "strings" else exact
    return {"amount": shown, "creditDebitIndicator": "DEBIT" if amount < 0 else "CREDIT"}
