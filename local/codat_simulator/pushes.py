"""The push endpoints: a push is Pending at first, and ends later."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local.codat_simulator.bodies import read_json
from local.codat_simulator.errors import CodatError, Finding
from local.codat_simulator.mapping_routes import linked_connection
from local.codat_simulator.mappings import reveal
from local.codat_simulator.paging import page_of
from local.codat_simulator.push_checks import check_push, warnings_of
from local.codat_simulator.records import Connection, Operation, Outcome, SourceAccount
from local.codat_simulator.shapes import operation_json
from local.codat_simulator.state import Codat
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import new_id

Json = dict[str, Any]


def create_push(sim: Codat, call: ApiCall) -> Answer:
    """Answers HTTP 200 with `status` Pending and `statusCode` 202 in the body, as Codat does."""
    connection = linked_connection(sim, call)
    account = sim.account(connection, call.path_params["account"])
    reveal(sim, connection, account)
    timeout = _timeout(call.query)
    data = read_json(call)
    findings = check_push(sim, sim.organisation(connection), account.id, data)
    if account.status != "connected":
        text = f"Account {account.id} is not connected: its status is {account.status}."
        raise CodatError(sim.behaviour.not_connected_status, text)
    if findings and sim.behaviour.invalid_push == "refused":
        raise CodatError(400, "Validation failed, see validation for details.", findings)
    operation = _accept(sim, connection, account, data, timeout)
    if findings:
        _fail_later(operation, findings)
    else:
        operation.warnings += warnings_of(data)
    return Answer(200, _created_json(sim, operation))


def show_operation(sim: Codat, call: ApiCall) -> Answer:
    company = sim.company(call.path_params["company"])
    operation = sim.operations.get(call.path_params["operation"].lower())
    if operation is None or operation.company_id != company.id:
        raise CodatError(404, f"Push operation {call.path_params['operation']} not found")
    return Answer(200, _json(sim, operation))


def list_operations(sim: Codat, call: ApiCall) -> Answer:
    company = sim.company(call.path_params["company"])
    listed_until = sim.after(-sim.behaviour.listed_after_seconds)
    shown = [
        _json(sim, operation)
        for operation in sim.operations.values()
        if operation.company_id == company.id and operation.requested_at <= listed_until
    ]
    if sim.behaviour.push_order == "newestFirst":
        shown.reverse()
    return page_of(call, shown, name="PushOperation")


def _accept(sim: Codat, connection: Connection, account: SourceAccount, data: Json, timeout: int | None) -> Operation:
    now, outcome = sim.now(), _take_outcome(sim, account.id)
    seconds = sim.timing.push_seconds if outcome is None or outcome.seconds is None else outcome.seconds
    never = outcome is not None and outcome.status == "Never"
    operation = Operation(
        key=new_id(),
        company_id=connection.company_id,
        connection_id=connection.id,
        account_id=account.id,
        data=data,
        requested_at=now,
        settles_at=None if never else now + timedelta(seconds=seconds),
        expires_at=now + timedelta(minutes=timeout) if timeout is not None else None,
        timeout_minutes=timeout,
        outcome=outcome,
    )
    sim.operations[operation.key] = operation
    sim.unsettled.append(operation)
    return operation


def _fail_later(operation: Operation, findings: list[Finding]) -> None:
    """The other Codat: it takes a push that breaks a rule, and lets its operation fail."""
    operation.outcome = Outcome("Failed", "", 400, None, False, tuple(findings), None, 1)


def _take_outcome(sim: Codat, account_id: str) -> Outcome | None:
    for outcome in sim.outcomes:
        if outcome.account_id in (None, account_id):
            outcome.times -= 1
            if outcome.times <= 0:
                sim.outcomes.remove(outcome)
            return outcome
    return None


def _timeout(query: Mapping[str, str]) -> int | None:
    text = query.get("timeoutInMinutes")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise CodatError(400, "timeoutInMinutes must be a positive number.")
    return int(text)


def _created_json(sim: Codat, operation: Operation) -> Json:
    body = operation_json(operation)
    return body if sim.behaviour.data_echo == "never" else {**body, "data": operation.data}


def _json(sim: Codat, operation: Operation) -> Json:
    body = operation_json(operation)
    return {**body, "data": operation.data} if sim.behaviour.data_echo == "always" else body
