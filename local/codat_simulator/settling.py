"""How push operations end: by themselves after a while, or as a test has ordered. Time is the simulator's clock."""

import secrets
from datetime import datetime

from local.codat_simulator.books import deliver
from local.codat_simulator.errors import Finding
from local.codat_simulator.events import emit_rate_limit_reset, emit_write
from local.codat_simulator.mappings import reveal_at_once
from local.codat_simulator.records import Operation, Outcome
from local.codat_simulator.state import Codat
from local.simulator import exact_json
from local.simulator.organisations import new_id
from local.simulator.problems import Problem

NO_REASON = "Failed to create bankTransactions, see validation for details."


def settle(sim: Codat) -> None:
    """Everything that is due by now, in the order in which it falls due."""
    while (due := _next_due(sim)) is not None:
        operation, moment, expires = due
        if expires:
            _end(sim, operation, moment, "TimedOut", sim.behaviour.timed_out_status_code)
        else:
            _reach_xero(sim, operation, moment)
        sim.unsettled = [one for one in sim.unsettled if not (one.at_xero or _is_over(sim, one))]
    reveal_at_once(sim)
    emit_rate_limit_reset(sim)


def downstream_message(reason: str) -> str:
    """Codat's three parts: the sentence, the correlation id and the reason."""
    return f"An error occurred in a downstream service. Correlation ID: {secrets.token_hex(16)}. Message: {reason}"


def _next_due(sim: Codat) -> tuple[Operation, datetime, bool] | None:
    """The next end by time-out, or arrival at Xero, that is due."""
    due = []
    for number, operation in enumerate(sim.unsettled):
        if operation.status == "Pending" and operation.expires_at is not None:
            due.append((operation.expires_at, number, True))
        arrives_at = _arrives_at(sim, operation)
        if arrives_at is not None:
            due.append((arrives_at, number, False))
    if not due or min(due)[0] > sim.now():
        return None
    moment, number, expires = min(due)
    return sim.unsettled[number], moment, expires


def _arrives_at(sim: Codat, operation: Operation) -> datetime | None:
    """When Xero is done with it: not while it throttles Codat."""
    if operation.settles_at is None:
        return None
    connection = sim.connections.get(operation.connection_id)
    throttled_until = sim.throttled.get(connection.tenant_id or "") if connection is not None else None
    return max(operation.settles_at, throttled_until) if throttled_until else operation.settles_at


def _is_over(sim: Codat, operation: Operation) -> bool:
    """Timed out, and its lines never reach Xero."""
    lost = operation.settles_at is None or sim.behaviour.timed_out_lines == "lost"
    return operation.status == "TimedOut" and lost


def _reach_xero(sim: Codat, operation: Operation, moment: datetime) -> None:
    operation.at_xero = True
    if operation.outcome is not None:
        _end_as_ordered(sim, operation, operation.outcome, moment)
        return
    refused = deliver(sim, operation, moment)
    if operation.status != "Pending":
        return
    if refused is None:
        _succeed(sim, operation, moment)
    else:
        _fail(sim, operation, refused, moment)


def _end_as_ordered(sim: Codat, operation: Operation, outcome: Outcome, moment: datetime) -> None:
    if outcome.arrives:
        deliver(sim, operation, moment, checked=False)
    if operation.status != "Pending":
        return
    if outcome.status == "Success":
        _succeed(sim, operation, moment)
        return
    operation.errors += outcome.findings
    timed_out = outcome.status == "TimedOut"
    if not timed_out or outcome.reason:
        operation.error_message = downstream_message(outcome.reason or NO_REASON)
    code = sim.behaviour.timed_out_status_code if timed_out else 400
    _end(sim, operation, moment, "TimedOut" if timed_out else "Failed", outcome.status_code or code)


def _succeed(sim: Codat, operation: Operation, moment: datetime) -> None:
    operation.record_id = new_id()
    _end(sim, operation, moment, "Success", 200)


def _fail(sim: Codat, operation: Operation, refused: Problem, moment: datetime) -> None:
    """With Xero's answer where the switch `downstream` puts it."""
    status = int(refused["status"])
    answer, where = exact_json.write(refused).decode(), sim.behaviour.downstream
    said = {
        "json": f"Feed statement failed({status}): {answer}",
        "text": f"Feed statement failed({status}): {refused['title']}. {refused['detail']}",
        "validation": NO_REASON,
    }[where]
    operation.error_message = downstream_message(said)
    if where == "validation":
        operation.errors.append(Finding(operation.account_id, answer, "Xero"))
    elif where == "json":
        operation.errors.append(Finding(operation.account_id, str(refused["detail"]), str(refused["type"])))
    code = status if sim.behaviour.failed_status_code == "upstream" else 400
    _end(sim, operation, moment, "Failed", code)


def _end(sim: Codat, operation: Operation, moment: datetime, status: str, code: int) -> None:
    assert status in ("Success", "Failed", "TimedOut")
    operation.status = status  # type: ignore[assignment]
    operation.status_code, operation.completed_at = code, moment
    emit_write(sim, operation)
