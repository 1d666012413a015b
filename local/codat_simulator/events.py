"""Codat's events: each becomes one message for every consumer that listens."""

import secrets
from typing import Any

from local.codat_simulator.limits import day_end
from local.codat_simulator.records import Company, Connection, Consumer, Message, Operation, SourceAccount
from local.codat_simulator.shapes import account_json, company_json, connection_json
from local.codat_simulator.state import Codat, timestamp
from local.simulator import exact_json
from local.simulator.organisations import new_id

Json = dict[str, Any]


def emit_company(sim: Codat, event_type: str, company: Company) -> None:
    details = company_json(sim, company)
    del details["dataConnections"]
    _emit(sim, event_type, details, company)


def emit_connection(sim: Codat, event_type: str, connection: Connection) -> None:
    company = sim.companies[connection.company_id]
    payload = {"referenceCompany": _reference(company), "connection": connection_json(sim, connection)}
    _emit(sim, event_type, payload, company)


def emit_account(sim: Codat, connection: Connection, account: SourceAccount) -> None:
    """`bankFeeds.sourceAccount.connected` or `.disconnected`, by the account's status."""
    company = sim.companies[connection.company_id]
    payload = {
        "referenceCompany": _reference(company),
        "connectionId": connection.id,
        "sourceAccount": account_json(account),
    }
    _emit(sim, f"bankFeeds.sourceAccount.{account.status}", payload, company)


def emit_write(sim: Codat, operation: Operation) -> None:
    """The end of a push operation. It has no reason in it: that takes a call."""
    company = sim.companies.get(operation.company_id)
    if company is None or operation.completed_at is None:
        return
    payload = {
        "id": operation.key,
        "type": "Create",
        "referenceCompany": _reference(company),
        "connectionId": operation.connection_id,
        "requestedOnDate": timestamp(operation.requested_at),
        "completedOnDate": timestamp(operation.completed_at),
        "status": operation.status,
    }
    success = operation.status == "Success"
    if success:
        payload["record"] = {"id": operation.record_id}
    _emit(sim, f"bankTransactions.write.{'successful' if success else 'unsuccessful'}", payload, company)


def emit_rate_limit(sim: Codat) -> None:
    """`client.rateLimit.reached`, once a day."""
    if sim.limits.reached_until is None:
        sim.limits.reached_until = day_end(sim.now())
        _emit(sim, "client.rateLimit.reached", _quota(sim), None)


def emit_rate_limit_reset(sim: Codat) -> None:
    """`client.rateLimit.reset`, when the day of a reached limit is over."""
    if sim.limits.reached_until is not None and sim.now() >= sim.limits.reached_until:
        sim.limits.reached_until = None
        _emit(sim, "client.rateLimit.reset", _quota(sim), None)


def _quota(sim: Codat) -> Json:
    companies = sim.active_companies()
    return {
        "dailyQuota": sim.limits.quota(companies),
        "quotaRemaining": max(0, sim.limits.remaining(companies, sim.now())),
        "expiryDate": timestamp(day_end(sim.now())),
    }


def _emit(sim: Codat, event_type: str, payload: Json, company: Company | None) -> None:
    body = exact_json.write(
        {"id": new_id(), "eventType": event_type, "generatedDate": timestamp(sim.now()), "payload": payload}
    )
    message_id = f"msg_{secrets.token_hex(12)}"
    first_at = sim.after(sim.timing.webhook_seconds)
    for consumer in sim.consumers.values():
        if _listens(consumer, event_type, company):
            copies = sim.timing.webhook_copies
            sim.messages.append(Message(message_id, consumer.id, event_type, body, first_at, copies_left=copies))


def _listens(consumer: Consumer, event_type: str, company: Company | None) -> bool:
    """Any matching tag is enough; an event of no company has no tags to match."""
    if event_type not in consumer.event_types:
        return False
    tags = {f"{key}:{value}" for key, value in company.tags.items()} if company else set()
    return not consumer.company_tags or bool(tags & set(consumer.company_tags))


def _reference(company: Company) -> Json:
    return {
        "id": company.id,
        "name": company.name,
        "description": company.description,
        "links": {"portal": f"https://app.codat.example/companies/{company.id}"},
        "tags": company.tags,
    }
