"""The product broken on purpose, once for each invariant: chaos has to catch every mutation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import patch

from feedlane import clock
from feedlane.feeds import items as feed_items
from feedlane.feeds import ledger
from feedlane.feeds.feed import Closing, Feed
from feedlane.mapping import unmapping
from feedlane.pushes import appending, doorbell, refusing, transaction
from feedlane.pushes import content as push_content
from feedlane.statements import answer as statement_answer
from feedlane.statements import call_limits, intent, limits, retrying, waits
from feedlane.statements import end as statement_end
from feedlane.statements import gate as statement_gate
from feedlane.statements import items as statement_items
from feedlane.statements.answer import AnswerRecorder
from feedlane.statements.follower import StatementFollower
from feedlane.statements.limits import Call, Limits, Traffic
from feedlane.statements.statement import StatementRecord
from feedlane.store import due
from feedlane.upkeep import overdue
from feedlane.vault.leases import Leases
from feedlane.vault.refresh import TokenRefresh
from feedlane.xero.api import XeroApi
from tests.chaos.credulous import (
    a_refused_new_token_is_believed,
    missing_bank_feeds_hold_the_connection,
    pages_are_believed,
)
from tests.stack import template

OPEN = Limits(per_minute=10_000)


@dataclass(frozen=True)
class Mutation:
    """`caught_as` is the prefix of the violation.

    `rates` make the faults frequent that reveal it, `switches` make Xero the one at which it shows.
    """

    invariant: str
    caught_as: str
    broken: Callable[[], AbstractContextManager[Any]]
    rates: dict[str, float] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)


def dates_are_not_checked() -> AbstractContextManager[Any]:
    real = ledger.append
    return patch.object(appending, "append", lambda feed, *more: real(feed.but(recorded_date=""), *more))


def no_day_is_waited_for() -> AbstractContextManager[Any]:
    real = clock.local_date
    return patch.object(intent, "local_date", lambda now, zone: real(now, zone) + timedelta(days=2))


def known_transactions_are_forgotten() -> AbstractContextManager[Any]:
    """Ids are neither looked up before the commit nor excluded by it."""
    return patch.multiple(feed_items, recorded_ids=lambda *_: {}, add_ids=lambda *_: [])


@contextmanager
def no_feed_is_woken_again() -> Iterator[None]:
    with (
        patch.object(statement_answer, "schedule_wake", lambda *_: None),
        patch.object(retrying, "schedule_wake", lambda *_: None),
    ):
        yield


def no_doorbell_check_is_scheduled() -> AbstractContextManager[Any]:
    return patch.object(doorbell, "schedule_check", lambda *_: None)


def a_rejected_mapping_is_waited_for() -> AbstractContextManager[Any]:
    return patch.object(unmapping, "record_feed_connection_rejected", lambda *_: False)


def bytes_are_rebuilt() -> AbstractContextManager[Any]:
    real = statement_items.statement_request
    return patch.object(statement_items, "statement_request", lambda *arguments: real(*arguments) + b" ")


def accepted_counts_as_delivered() -> AbstractContextManager[Any]:
    def accepted(self: AnswerRecorder, feed: Any, statement: Any, _: Any, now: Any) -> None:
        statement_end.record_delivered(self.ports, feed, statement, now)

    return patch.object(AnswerRecorder, "_record_accepted", accepted)


def known_lines_count_as_delivered() -> AbstractContextManager[Any]:
    """What Xero calls a duplicate, and lists nowhere, is believed to be there."""

    def believed(self: AnswerRecorder, feed: Any, statement: Any, _: Any, now: Any) -> None:
        statement_end.record_delivered(self.ports, feed, statement, now)

    return patch.object(AnswerRecorder, "_record_not_listed", believed)


def duplicates_count_as_delivered() -> AbstractContextManager[Any]:
    """What Xero rejects as a duplicate after a while is believed to be there."""
    return patch.object(statement_end, "record_known_already", statement_end.record_delivered)


def lines_are_not_counted() -> AbstractContextManager[Any]:
    return patch.object(StatementRecord, "line_count", 0)


def known_and_new_lines_are_mixed() -> AbstractContextManager[Any]:
    return patch.object(Feed, "undelivered", lambda feed, last: feed.but(flight=None))


def rejected_counts_as_delivered() -> AbstractContextManager[Any]:
    def end(self: StatementFollower, feed_id: str, statement: Any, refusal: Any, known_already: bool = False) -> None:
        real(self, feed_id, statement, None)

    real = StatementFollower._end
    return patch.object(StatementFollower, "_end", end)


@contextmanager
def retry_after_is_ignored() -> Iterator[None]:
    with (
        patch.object(waits, "set_not_before", lambda *_: None),
        patch.object(call_limits, "set_not_before", lambda *_: None),
    ):
        yield


def the_gate_is_open() -> AbstractContextManager[Any]:
    def admit(traffic: Traffic, _: Limits, now: datetime, call: Call) -> Any:
        return limits.admit(traffic, OPEN, now, call)

    return patch.object(statement_gate, "admit", admit)


def calls_of_people_do_not_count() -> AbstractContextManager[Any]:
    return patch.object(call_limits.SharedCallLimits, "_count_for_person", lambda *_: None)


def only_the_first_request_of_a_call_counts() -> AbstractContextManager[Any]:
    return patch.object(call_limits.SharedCallLimits, "_count_another", lambda *_: None)


def tokens_are_used_before_they_are_stored() -> AbstractContextManager[Any]:
    return patch.object(TokenRefresh, "_refresh", lambda self, lease, tokens: self._renew(lease, tokens))


def everyone_gets_the_lease() -> AbstractContextManager[Any]:
    real = Leases.read
    return patch.multiple(
        Leases,
        read=lambda self, subject: real(self, subject)._replace(until=0),
        take=lambda self, state, **_: state._replace(until=0),
        publish=lambda self, lease, version, **_: self.supersede(lease.subject, version),
    )


def a_rejected_token_is_logged() -> AbstractContextManager[Any]:
    real = XeroApi._send

    def send(self: XeroApi, token: str, *arguments: Any) -> Any:
        answer = real(self, token, *arguments)
        if answer.status_code == 401:
            raise ValueError(f"Xero rejected the token {token}")
        return answer

    return patch.object(XeroApi, "_send", send)


def money_is_rounded() -> AbstractContextManager[Any]:
    real = transaction.parse_transaction

    def rounded(position: int, transaction: Any) -> Any:
        line, *findings = real(position, transaction)
        if line is not None:
            line = line._replace(
                amount=Decimal(f"{float(line.amount):.2f}"), balance=Decimal(f"{float(line.balance):.2f}")
            )
        return line, *findings

    return patch.object(push_content, "parse_transaction", rounded)


def refusals_are_not_shown() -> AbstractContextManager[Any]:
    return patch.object(refusing, "hole_of", lambda *_: None)


def synthetic_balances_do_not_chain() -> AbstractContextManager[Any]:
    def closing(feed: Any, statement: Any) -> Closing:
        return Closing(feed_connection_id=statement.feed_connection_id, balance=statement.end_balance + 1)

    return patch.object(statement_end, "_closing", closing)


def nobody_is_rung() -> AbstractContextManager[Any]:
    return patch.object(overdue, "ring", lambda *_: overdue.Looks())


def looks_are_far_off() -> AbstractContextManager[Any]:
    return patch.object(due, "LOOK_AFTER", timedelta(minutes=30))


def lambda_stops_loops() -> AbstractContextManager[Any]:
    return patch.object(template, "allows_recursion", lambda function: False)


@contextmanager
def _without_the_watch(broken: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
    """What the watch would mend otherwise."""
    with broken(), nobody_is_rung():
        yield


MENDED_BY_THE_WATCH = (no_feed_is_woken_again, no_doorbell_check_is_scheduled)
NO_MESSAGE_LOST = {"message_lost": 0.0}

MUTATIONS = {
    broken.__name__: (
        Mutation(invariant, caught_as, partial(_without_the_watch, broken), rates | NO_MESSAGE_LOST)
        if broken in MENDED_BY_THE_WATCH
        else Mutation(invariant, caught_as, broken, rates)
    )
    for invariant, caught_as, broken, rates in (
        ("1 order", "order", dates_are_not_checked, {"push_reordered": 0.5}),
        ("1 order, days", "order", no_day_is_waited_for, {"zone_moved": 1.0}),
        ("2 once", "once", known_transactions_are_forgotten, {"push_repeated": 0.5, "push_overlapping": 0.5}),
        ("3 nothing lost", "nothing lost", no_feed_is_woken_again, {"xero_request_lost": 0.3}),
        ("3 nothing lost, doorbell", "nothing lost", no_doorbell_check_is_scheduled, {"crash_before_send": 0.6}),
        (
            "3 nothing lost, mapping",
            "nothing lost",
            a_rejected_mapping_is_waited_for,
            {"mapping_rejected": 1.0, "unmapped": 0.3},
        ),
        ("3 nothing lost, holes", "holes", refusals_are_not_shown, {"push_future": 0.5}),
        ("3 nothing lost, loops", "chains", lambda_stops_loops, {"xero_503": 0.5}),
        ("4 frozen intent", "frozen", bytes_are_rebuilt, {"xero_answer_lost": 0.3}),
        ("5 one flight", "one flight", accepted_counts_as_delivered, {}),
        ("5 limits", "limits", retry_after_is_ignored, {"xero_429_minute": 0.3}),
        ("5 limits, in a minute", "limits", the_gate_is_open, {}),
        ("5 limits, people's calls", "limits", calls_of_people_do_not_count, {}),
        ("5 limits, every request", "limits", only_the_first_request_of_a_call_counts, {"xero_401": 0.3}),
        ("6 tokens", "tokens", tokens_are_used_before_they_are_stored, {"clock_jump_hours": 0.5}),
        ("6 tokens, one refresh", "tokens", everyone_gets_the_lease, {"clock_jump_hours": 0.5, "xero_401": 0.3}),
        ("7 secrets", "secrets", a_rejected_token_is_logged, {"xero_401": 0.3}),
        ("8 money", "money", money_is_rounded, {}),
        ("8 money, synthetic", "money", synthetic_balances_do_not_chain, {}),
        ("9 true, rejected", "untrue", rejected_counts_as_delivered, {"statement_rejected": 0.5}),
        ("10 no feed depends on a message", "nothing lost", nobody_is_rung, {"message_lost": 0.3}),
        ("10 looked at in time", "looked at", looks_are_far_off, {}),
        ("11 needless, two 401s", "needless", a_refused_new_token_is_believed, {"xero_401": 0.6}),
        ("11 needless, pages", "needless", pages_are_believed, {"xero_page_401_403": 0.2}),
        (
            "11 needless, no bank feeds",
            "needless",
            missing_bank_feeds_hold_the_connection,
            {"xero_403_invalid-organisation-bank-feeds": 0.3},
        ),
    )
}
# The same rules, each at a Xero that does what its documentation leaves open.
MUTATIONS |= {
    broken.__name__: Mutation(f"9 true, {invariant}", "untrue", broken, rates, switches)
    for invariant, broken, rates, switches in (
        (
            "ids stay used",
            known_lines_count_as_delivered,
            {"statement_rejected": 0.5},
            {"rejected_ids": "used"},
        ),
        (
            "rejected as known",
            duplicates_count_as_delivered,
            {"statement_rejected": 0.5},
            {"rejected_ids": "used", "duplicates_found": "whileProcessing"},
        ),
        ("lines counted", lines_are_not_counted, {}, {"duplicate_key": "idOrContent"}),
        (
            "nothing mixed",
            known_and_new_lines_are_mixed,
            {"statement_rejected": 0.5},
            {"rejected_ids": "used", "line_count": "received"},
        ),
    )
}
