"""Looks for a statement in doubt in the upstream's list, page by page, and goes on where it stopped.

A statement may be missing from the list for a while after it was taken, so one search proves nothing: only a second one
that begins a quarter of an hour later does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import (
    Accepted,
    Ambiguous,
    Failed,
    NoAnswer,
    Refusal,
    SearchPlace,
    TenantAccess,
    TryLater,
    Upstream,
)
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord

# For how long at most a statement that was taken is believed to be missing from the list. Xero documents no delay.
LISTED_WITHIN = timedelta(minutes=15)
# The first look after one that found nothing: long before that is a proof, most delays are over.
LOOK_AGAIN = timedelta(minutes=1)
# Once the platform was told. A list of a hundred pages then costs some hundred of a day's calls.
LOOK_AGAIN_ONCE_TOLD = timedelta(hours=6)
# A page takes about a second, a slow one ten, and an invocation a minute at most.
PAGES_PER_RUN = 20
SECONDS_PER_RUN = 20


@dataclass(frozen=True)
class Searching:
    """The search has not ended: it goes on at `until`."""

    until: datetime


@dataclass(frozen=True)
class NotListed:
    """The upstream does not list the statement, in a search that began at this time."""

    began: datetime


@dataclass(frozen=True)
class SearchFailed:
    """The upstream did not answer the search: it goes on where it stopped, less and less often."""

    problem: Problem | None


# `NoAnswer`: the list has what may be this statement, or another one in doubt.
LookAnswer = Accepted | Refusal | TryLater | NoAnswer | Searching | NotListed | SearchFailed


@dataclass(frozen=True)
class DoubtfulStatement:
    """A statement in doubt of this feed, and the bytes that may have arrived."""

    ports: Ports
    upstream: Upstream
    feed: Feed
    statement: StatementRecord
    request: bytes

    def look(self) -> tuple[StatementRecord, LookAnswer]:
        """Reads the list from where the last search stopped, for so many pages as may be read now.

        Returns the statement with where this one stopped.
        """
        access, (others, alone) = self._access, self._others()
        place = self.statement.search or SearchPlace(began=self.ports.clock())
        place = place.but(since=self.statement.created, alone=alone)
        stop = self.ports.clock() + timedelta(seconds=SECONDS_PER_RUN)
        for _ in range(PAGES_PER_RUN):
            if self.ports.clock() > stop:
                break
            answer = self.upstream.find_statement(access, self.request, others, place)
            if answer is None:
                return self._at(None), NotListed(place.began)
            if isinstance(answer, NoAnswer | Failed):
                return self._at(place), SearchFailed(answer.problem if isinstance(answer, Failed) else None)
            if isinstance(answer, Ambiguous) and self.statement.recut:
                # The list cannot tell, and somebody has looked into the account: that word counts.
                return self._at(None), NotListed(place.began)
            if isinstance(answer, Ambiguous) or (isinstance(answer, Accepted) and self._may_be_anothers(answer)):
                return self._at(None), NoAnswer(reason="not to be told from others")
            if not isinstance(answer, SearchPlace):
                return self._at(place), answer
            place = answer
        return self._at(place), Searching(self.ports.clock())

    @property
    def _access(self) -> TenantAccess:
        return access_of(self.feed)

    def _others(self) -> tuple[frozenset[str], bool]:
        """What the statement may be mistaken for, and whether nothing else can be in doubt."""
        if self.upstream.key_memory(self._access) is None:
            return statement_items.other_upstream_ids(self.ports.store, self.statement), False
        return statement_items.upstream_ids_of_connection(self.ports.store, self.feed, self.statement)

    def _may_be_anothers(self, found: Accepted) -> bool:
        """Asked again after the list was read: another feed of the connection may have posted meanwhile."""
        if self.upstream.key_memory(self._access) is None:
            return False
        others, alone = self._others()
        return found.statement_id in others or not (alone or found.by_content)

    def _at(self, place: SearchPlace | None) -> StatementRecord:
        return self.statement.but(search=place)


def access_of(feed: Feed) -> TenantAccess:
    return TenantAccess(tenant_id=feed.tenant_id, token_set_id=feed.token_set_id)


def is_known_by_key(feed: Feed, statement: StatementRecord, upstream: Upstream, now: datetime) -> bool:
    """Whether the upstream knows the statement again by its key, wherever it was posted before."""
    memory = upstream.key_memory(access_of(feed))
    return statement.key_turn == 0 and (memory is None or now - statement.created < memory)


def not_listed(statement: StatementRecord, began: datetime, now: datetime) -> StatementRecord:
    """The statement after a search that did not find it, with the time of the next."""
    since = statement.unlisted_since or began
    again = now + LOOK_AGAIN if statement.unlisted_since is None else max(now + LOOK_AGAIN, since + LISTED_WITHIN)
    return statement.but(unlisted_since=since, again=again)


def proves_not_listed(statement: StatementRecord, began: datetime) -> bool:
    """Whether the search proves that the list will not show the statement any more."""
    return statement.unlisted_since is not None and began - statement.unlisted_since >= LISTED_WITHIN


def is_only_looked_for(feed: Feed, statement: StatementRecord) -> bool:
    """Whether it is not posted again: Xero would refuse it anyway, take it for a duplicate, or a search goes on."""
    is_sought = statement.known_lines or statement.recut or statement.search is not None
    return is_sought or is_replaced(feed, statement)


def is_replaced(feed: Feed, statement: StatementRecord) -> bool:
    """Whether the statement is for an earlier feed connection. Xero can only refuse its bytes now."""
    return statement.feed_connection_id not in ("", feed.feed_connection_id)
