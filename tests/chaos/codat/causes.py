"""Causes of refusals at Codat and in the Xero behind it, and what both have refused, as the simulator knows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from feedlane.codat_upstream import problems as codat_problems
from local.codat_simulator import books
from local.codat_simulator.connections import sever
from local.codat_simulator.errors import Finding
from local.codat_simulator.records import ApiKey, Connection, Operation, Outcome
from local.codat_simulator.settling import NO_REASON, settle
from local.codat_simulator.state import DEFAULT_API_KEY, Codat
from local.simulator.api_call import ApiCall
from local.simulator.faults import Fault
from local.simulator.organisations import Account
from local.simulator.problems import Problem, problem
from tests.chaos import refusals
from tests.chaos.causes import NEVER_ACCEPTED, Cause
from tests.chaos.codat.faults import CAUSES
from tests.chaos.faults import Faults
from tests.chaos.refusals import Refusal
from tests.chaos.timeline import Timeline

APP = "app"
BANK_FEEDS, ARCHIVED = "xero_403_invalid-organisation-bank-feeds", "xero_422_account-not-valid"
KEY_WITHDRAWN, PLAN, PRODUCT = "codat_key_withdrawn", "codat_402_plan", "codat_403_product"
DEAUTHORISED, UNLINKED, FEED_ENDED = "codat_deauthorised", "codat_unlinked", "codat_feed_ended"
THROTTLES = "xero_throttles"
# Xero's refusals that the simulator does not know by itself, and what is refused.
OF_ALL = {"xero_403_invalid-application": "invalid-application"}
OF_TENANT = {"xero_403_invalid-user-role": "invalid-user-role"}
OF_FEED = {"xero_403_invalid-organisation-multi-currency": "invalid-organisation-multi-currency"}
# Xero's sentence for these is documented, so that the type is known where Codat passes on the sentence alone.
WORDED = ("invalid-organisation-bank-feeds", "invalid-application", "invalid-end-balance", "duplicate-statement")
NOT_OF_LINES = ("unauthorized", "invalid-application")
OUTCOMES = ("push_failed", "push_timed_out", "push_never_ends")
DOWN_SECONDS = (20.0, 300.0, 4000.0)


class CodatCauses:
    """`token_of` gives our account token for a connection and an account of Codat's."""

    def __init__(self, sim: Codat, timeline: Timeline, faults: Faults) -> None:
        self.active: list[Cause] = []
        self.refusals: list[Refusal] = []
        self.token_of: Callable[[str, str], str] = lambda connection_id, account_id: ""
        self._refused: dict[str, Problem] = {}
        self._noted: set[str] = set()
        self._sim, self._timeline, self._faults = sim, timeline, faults

    # what strikes

    def strike(self, connection: Connection, account_id: str, lines: list[str]) -> None:
        """Something may have changed just before a push arrives."""
        for kind in CAUSES:
            if not self._faults.strike(kind):
                continue
            if kind in OUTCOMES:
                self._sim.outcomes.append(self._outcome(kind, account_id))
            elif kind == THROTTLES:
                seconds = self._faults.choice(DOWN_SECONDS)
                self._sim.throttled[connection.tenant_id or ""] = self._sim.after(seconds)
            elif kind == NEVER_ACCEPTED:
                token = self.token_of(connection.id, account_id)
                self.active.append(Cause(kind, f"{token} {lines[len(lines) // 2]}"))
            else:
                self._start(kind, connection, account_id)

    def _start(self, kind: str, connection: Connection, account_id: str) -> None:
        sim, subject = self._sim, connection.company_id
        organisation = sim.organisation(connection)
        assert organisation is not None
        match kind:
            case _ if kind == BANK_FEEDS:
                organisation.bank_feeds = False
            case _ if kind == ARCHIVED:
                target, subject = self._target(connection, account_id), self.token_of(connection.id, account_id)
                if target is not None:
                    target.active = False
            case _ if kind == KEY_WITHDRAWN:
                subject = APP
                sim.api_keys.clear()
            case _ if kind in (DEAUTHORISED, UNLINKED):
                subject = connection.id
                sever(sim, connection, "Deauthorized" if kind == DEAUTHORISED else "Unlinked")
            case _ if kind == FEED_ENDED:
                account = sim.accounts.get((connection.id, account_id))
                if account is not None and account.mapping is not None:
                    account.mapping.ended = True
                return  # until somebody maps the account again
            case _ if kind == PLAN or kind in OF_ALL:
                subject = APP
            case _ if kind in OF_FEED:
                subject = self.token_of(connection.id, account_id)
        self.active.append(Cause(kind, subject))

    def fix(self, cause: Cause) -> None:
        """Fixes the cause, other than what needs the customer or the platform."""
        sim = self._sim
        if cause.kind == KEY_WITHDRAWN and not sim.api_keys:
            sim.api_keys = [ApiKey("restored", "default", DEFAULT_API_KEY, sim.now())]
        if cause.kind == BANK_FEEDS:
            for connection in sim.connections_of(cause.subject):
                organisation = sim.organisation(connection)
                if organisation is not None:
                    organisation.bank_feeds = True
        if cause.kind == ARCHIVED:
            for account in (account for one in sim.organisations.values() for account in one.accounts):
                account.active = True
        self.active = [other for other in self.active if other != cause]

    # what the simulator asks

    def problem_for(self, call: ApiCall) -> Fault | None:
        """The refusal that answers a call about pushes because of an active cause."""
        if "/push" not in call.path:
            return None
        company_id = call.path.split("/")[2]
        if call.method == "POST" and Cause(PLAN, APP) in self.active:
            return Fault(0, "status", "before", status=402)
        if Cause(PRODUCT, company_id) in self.active:
            return Fault(0, "status", "before", status=403)
        return None

    def deliver(self, sim: Codat, operation: Operation, moment: datetime, *, checked: bool = True) -> Problem | None:
        """In the place of the simulator's own, which knows fewer refusals. Remembers why Xero refuses."""
        refused = self._refusal_of(operation) if checked else None
        refused = refused or books.deliver(sim, operation, moment, checked=checked)
        if refused is not None and checked:
            self._refused[operation.key] = refused
        return refused

    def is_known_already(self, operation: Operation) -> bool:
        """Whether Xero refused it because it knows every line."""
        return self._refused.get(operation.key, {}).get("type") == "duplicate-statement"

    def settle(self) -> None:
        """Lets everything that is due happen, and notes what Codat and Xero have refused."""
        settle(self._sim)
        for operation in self._sim.operations.values():
            if operation.status in ("Failed", "TimedOut") and operation.key not in self._noted:
                self._noted.add(operation.key)
                self._note_failed(operation)

    def note(self, type: str, *subjects: str) -> None:
        now = self._timeline.now()
        self.refusals += [Refusal(now, type, subject) for subject in subjects]

    # its parts

    def _outcome(self, kind: str, account_id: str) -> Outcome:
        """How the push operation that comes now ends. Without reasons, with findings, or never."""
        status: Any = {"push_failed": "Failed", "push_timed_out": "TimedOut", "push_never_ends": "Never"}[kind]
        says = kind == "push_failed" and self._faults.choice((True, False))
        findings = (Finding(account_id, "Codat could not use the data.", "Codat"),) if says else ()
        # Where Xero takes known lines again, nobody can send on what may have landed.
        lands = kind == "push_timed_out" and self._sim.behaviour.known_ids == "skipped"
        arrives = lands and self._faults.choice((True, False))
        reason = NO_REASON if findings else "Internal error"
        return Outcome(status, reason if status == "Failed" else "", None, None, arrives, findings, account_id, 1)

    def _target(self, connection: Connection, account_id: str) -> Account | None:
        account, organisation = self._sim.accounts.get((connection.id, account_id)), self._sim.organisation(connection)
        if account is None or account.mapping is None or organisation is None:
            return None
        return organisation.account(account.mapping.target_id or "")

    def _refusal_of(self, operation: Operation) -> Problem | None:
        token = self.token_of(operation.connection_id, operation.account_id)
        lines = [str(line["id"]) for line in operation.data["transactions"]]
        subjects = (APP, operation.company_id, token)
        for cause in self.active:
            if cause.kind == NEVER_ACCEPTED:
                owner, _, id = cause.subject.partition(" ")
                if owner == token and id in lines and not self._has(operation, id):
                    return problem("invalid-request")
            elif cause.subject in subjects and (type := (OF_ALL | OF_TENANT | OF_FEED).get(cause.kind)):
                return problem(type)
        return None

    def _has(self, operation: Operation, id: str) -> bool:
        return any(
            line.line["id"] == id
            and line.account_id == operation.account_id
            and line.company_id == operation.company_id
            for line in self._sim.arrived
        )

    def _note_failed(self, operation: Operation) -> None:
        subjects = (operation.company_id, self.token_of(operation.connection_id, operation.account_id))
        if operation.status == "TimedOut":
            self.note(codat_problems.TIMED_OUT, *subjects)
            return
        known = self._refused.get(operation.key)
        codats = codat_problems.INVALID if operation.errors else codat_problems.REFUSED
        self.note(str(known["type"]) if known else codats, *subjects)
        downstream, type = self._sim.behaviour.downstream, known and known["type"]
        is_unclear = (downstream == "text" and type not in WORDED) or (
            downstream == "validation" and type in NOT_OF_LINES
        )
        if known and is_unclear:
            # Of most of Xero's problems, Codat's words do not tell which, and no finding is believed about all lines.
            self.note(codats, *subjects)
        connection = self._sim.connections.get(operation.connection_id)
        if connection is None or connection.status != "Linked":
            self.note(refusals.CONNECTION_MISSING, operation.company_id)
