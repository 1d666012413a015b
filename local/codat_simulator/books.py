"""The plain Xero behind Codat: which lines it takes, which it refuses, and what has arrived in its books."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from local.codat_simulator.records import ArrivedLine, Connection, Operation, SourceAccount
from local.codat_simulator.state import Codat
from local.simulator.organisations import Account, Organisation
from local.simulator.problems import Problem, problem

Json = dict[str, Any]

# Characters that Xero takes of a line.
TEXTS_MAX = {"description": 2000, "counterparty": 255, "reference": 255}

DEAUTHORISED: Problem = {
    "type": "unauthorized",
    "title": "Unauthorized",
    "status": 401,
    "detail": "The integration de-authorized access to the connection.",
}
SCOPE_MISSING: Problem = {
    "type": "unauthorized",
    "title": "Unauthorized",
    "status": 403,
    "detail": "AuthorizationUnsuccessful: insufficient_scope",
}


@dataclass(frozen=True)
class Target:
    """Where the lines of a source account go."""

    organisation: Organisation
    account: Account


def deliver(sim: Codat, operation: Operation, moment: datetime, *, checked: bool = True) -> Problem | None:
    """Writes the operation's lines into the books, or returns why Xero refuses them. `checked`: by Xero's rules."""
    target = _target(sim, operation)
    if not isinstance(target, Target):
        return target
    lines: list[Json] = operation.data["transactions"]
    if checked and sim.behaviour.sums == "checked" and not _adds_up(lines):
        return problem("invalid-end-balance")
    if checked and sim.behaviour.long_texts == "refused" and any(_too_long(line) for line in lines):
        return problem("invalid-request", "A text of a statement line is too long.")
    new = [_cut(line) for line in _new_lines(sim, target, operation.account_id, lines)]
    if checked and not new:
        return problem("duplicate-statement")
    sim.arrived += [
        ArrivedLine(
            target.organisation.tenant_id,
            target.account.account_id,
            operation.company_id,
            operation.account_id,
            operation.key,
            line,
            moment,
        )
        for line in new
    ]
    return None


def refuses_feeds(sim: Codat, connection: Connection) -> Problem | None:
    """Why Xero makes no feed for this connection."""
    organisation = sim.organisation(connection)
    if organisation is None or connection.status != "Linked":
        return DEAUTHORISED
    if not connection.has_feed_scope:
        return SCOPE_MISSING
    if not organisation.feed_connections_allowed:
        return problem("invalid-organisation-bank-feeds")
    return None


def feeds_of(sim: Codat, tenant_id: str, target_id: str) -> list[SourceAccount]:
    """The source accounts that feed an account of Xero, of any company."""
    return [
        account
        for account in sim.accounts.values()
        if account.mapping is not None
        and account.mapping.target_id == target_id
        and not account.mapping.ended
        and sim.connections[account.connection_id].tenant_id == tenant_id
    ]


def options_for(sim: Codat, connection: Connection, account: SourceAccount) -> list[Account]:
    """The accounts of Xero that fit by currency and kind, and have no feed yet."""
    organisation = sim.organisation(connection)
    if organisation is None:
        return []
    return [
        option
        for option in organisation.accounts
        if option.active
        and option.bank_type == ("CREDITCARD" if account.is_card else "BANK")
        and option.currency == account.received["currency"]
        and not feeds_of(sim, organisation.tenant_id, option.account_id)
    ]


def last_balance(sim: Codat, account: Account) -> Decimal:
    """The balance after the last line that arrived."""
    lines = [arrived.line for arrived in sim.arrived if arrived.target_id == account.account_id]
    return Decimal(lines[-1].get("balance") or 0) if lines else Decimal(0)


def _target(sim: Codat, operation: Operation) -> Target | Problem:
    connection = sim.connections.get(operation.connection_id)
    organisation = sim.organisation(connection) if connection is not None else None
    if connection is None or organisation is None or connection.status != "Linked":
        return DEAUTHORISED
    if not connection.has_feed_scope:
        return SCOPE_MISSING
    if not organisation.bank_feeds:
        return problem("invalid-organisation-bank-feeds")
    source = sim.accounts.get((connection.id, operation.account_id))
    if source is None or source.mapping is None or source.mapping.target_id is None or source.mapping.ended:
        return problem("invalid-feed-connection")
    account = organisation.account(source.mapping.target_id)
    if account is None or not account.active:
        return problem("account-not-valid")
    return Target(organisation, account)


def _too_long(line: Json) -> bool:
    return any(len(line.get(name) or "") > longest for name, longest in TEXTS_MAX.items())


def _cut(line: Json) -> Json:
    return {name: value[: TEXTS_MAX[name]] if name in TEXTS_MAX and value else value for name, value in line.items()}


def _adds_up(lines: list[Json]) -> bool:
    """Whether the last balance is the first one, before its line, plus all amounts."""
    if any(line.get("balance") is None for line in (lines[0], lines[-1])):
        return True
    start = Decimal(lines[0]["balance"]) - Decimal(lines[0]["amount"])
    return start + sum(Decimal(line["amount"]) for line in lines) == Decimal(lines[-1]["balance"])


def _new_lines(sim: Codat, target: Target, account_id: str, lines: list[Json]) -> list[Json]:
    """Without those whose id the feed has had; it has had the others from now on."""
    if sim.behaviour.known_ids == "accepted":
        return lines
    seen = sim.arrived_ids[target.organisation.tenant_id, target.account.account_id, account_id]
    new = []
    for line in lines:
        if line["id"] not in seen:
            seen.add(line["id"])
            new.append(line)
    return new
