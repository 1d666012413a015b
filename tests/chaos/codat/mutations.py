"""The product broken on purpose in what it does for Codat alone: chaos through Codat has to catch every mutation.

Those that any upstream's run can catch are in `tests/chaos/mutations.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from feedlane.codat_upstream import answers, bank_feeds, client, operations, outcomes, problems
from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import StatementStatus
from feedlane.ids import derived_id
from feedlane.json_object import json_object
from feedlane.mapping import creation
from feedlane.statements import end as statement_end
from feedlane.statements import items as statement_items
from feedlane.statements.doubt import DoubtfulStatement
from feedlane.store.store import Store
from feedlane.web.link import codat_webhooks
from tests.chaos.mutations import Mutation

NO_LIST = {"codat_answer_lost": 0.4, "codat_key_forgotten": 1.0}
TAKEN_TWICE = {"known_ids": "accepted"}


def the_list_is_not_asked() -> AbstractContextManager[Any]:
    """After a lost answer the push goes again, as if Codat knew its lines."""
    return patch.object(CodatBankFeeds, "key_memory", lambda self, access: None)


def each_attempt_has_another_key() -> AbstractContextManager[Any]:
    numbers = itertools.count(1)
    return patch.object(bank_feeds, "derived_id", lambda *parts: derived_id(*parts, str(next(numbers))))


def webhooks_are_believed() -> AbstractContextManager[Any]:
    """What a signed webhook calls successful counts as delivered."""

    def believe(site: Any, connection: Any, push_key: str) -> None:
        for feed in feed_items.feeds_of_connection(site.store, connection.id):
            number = feed.flight.number if feed.flight else 0
            statement = statement_items.find_statement(site.store, feed.id, number)
            if statement is not None and statement.upstream_id == push_key:
                statement_end.record_delivered(site.ports, feed, statement, site.clock())

    return patch.object(codat_webhooks, "_ring_statements", believe)


@contextmanager
def pending_counts_as_the_end() -> Iterator[None]:
    """The next push goes while the one before is still on its way to Xero."""
    with patch.dict(operations._STATUSES, {"Pending": StatementStatus.DELIVERED}):
        yield


@contextmanager
def timed_out_counts_as_delivered() -> Iterator[None]:
    with patch.dict(operations._STATUSES, {"TimedOut": StatementStatus.DELIVERED}):
        yield


def xeros_words_are_not_recognised() -> AbstractContextManager[Any]:
    """The 403 of an organisation without bank feeds, passed on as a sentence."""
    return patch.object(problems, "_worded", lambda text, status: iter(()))


@contextmanager
def waits_are_not_shared() -> Iterator[None]:
    """`Retry-After` is not looked at."""
    with (
        patch.object(client, "wait_asked", lambda *_: None),
        patch.object(outcomes, "rate_limit_seconds", lambda *_: 1),
        patch.object(outcomes, "retry_after", lambda *_: None),
    ):
        yield


@contextmanager
def pages_are_believed() -> Iterator[None]:
    """A page of something in front of Codat counts as Codat's refusal."""

    def envelope(answer: Any) -> Any:
        return json_object(answer.content) or {"error": "a page"}

    with patch.object(answers, "envelope_in", envelope), patch.object(outcomes, "envelope_in", envelope):
        yield


def any_push_of_the_connection_is_ours() -> AbstractContextManager[Any]:
    """The first push in the list that may be ours is taken, though other feeds of the connection are in doubt too."""
    real = DoubtfulStatement._others

    def others(self: DoubtfulStatement) -> tuple[Collection[str], bool]:
        return real(self)[0], True

    return patch.object(DoubtfulStatement, "_others", others)


def the_id_of_a_mapping_counts() -> AbstractContextManager[Any]:
    """An account that was disconnected cannot be mapped again: the new mapping has the old one's id."""
    real = creation.known_feed_connections

    def known_feed_connections(store: Store, connection_id: str, feed: Feed | None) -> creation.Known:
        known = real(store, connection_id, feed)
        endings = {one.ending for one in (*feed_items.feeds_of_connection(store, connection_id), feed) if one}
        return replace(known, endings=known.endings | (endings - {""}))

    return patch.object(creation, "known_feed_connections", known_feed_connections)


Row = tuple[str, str, Callable[[], AbstractContextManager[Any]], dict[str, float], dict[str, Any]]
_ROWS: tuple[Row, ...] = (
    ("2 once, lost answers", "once", the_list_is_not_asked, NO_LIST, {**TAKEN_TWICE, "data_echo": "always"}),
    ("4 frozen intent, key", "frozen", each_attempt_has_another_key, {"codat_answer_lost": 0.3}, {}),
    ("9 true, webhooks", "untrue", webhooks_are_believed, {"webhook_untrue": 0.6}, {}),
    ("5 one operation at a time", "one flight", pending_counts_as_the_end, {}, {}),
    ("9 true, timed out", "untrue", timed_out_counts_as_delivered, {"push_timed_out": 0.3}, TAKEN_TWICE),
    (
        "11 needless, Xero's words",
        "needless",
        xeros_words_are_not_recognised,
        {"xero_403_invalid-organisation-bank-feeds": 0.3},
        {"downstream": "text"},
    ),
    ("5 limits, Retry-After", "limits", waits_are_not_shared, {"codat_429_minute": 0.3}, {}),
    ("11 needless, pages", "needless", pages_are_believed, {"codat_page_401_403": 0.2}, {}),
    (
        "9 true, another feed's push",
        "untrue",
        any_push_of_the_connection_is_ours,
        {"codat_answer_lost": 0.5, "codat_500": 0.3},
        {"data_echo": "never"},
    ),
    (
        "3 nothing lost, mapped again",
        "nothing lost",
        the_id_of_a_mapping_counts,
        # Mapped again and again, the account would have Codat send webhooks without end.
        {"unmapped": 0.15, "webhook_lost": 1.0},
        {},
    ),
)
MUTATIONS = {
    broken.__name__: Mutation(invariant, caught_as, broken, rates, switches)
    for invariant, caught_as, broken, rates, switches in _ROWS
}
