"""A hold: a recorded reason why nothing may be sent now, for the app, a tenant, a connection or a feed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from feedlane.problem import Problem
from feedlane.record import Record
from feedlane.scope import Scope

# Xero refuses a statement because the feed's connection has ended, or belongs to another organisation.
CONNECTION_ENDED_REASONS = frozenset({"feed-connection-gone", "feed-connection-elsewhere"})


class HeldLine(NamedTuple):
    """The line that the upstream refuses, by its number in the ledger and its transaction id."""

    number: int
    transaction_id: str


class Hold(Record):
    """`subject` is what is held: "app", a tenant id, a connection id or a feed id.

    `by_mapping`: it was placed because Xero refused a feed connection, so that one which Xero makes lifts it.

    `line` and `transaction_id`: the upstream refused a statement of this line alone.

    `releasing`: its release has begun and continues by itself. Nothing is sent yet, and no operation fails because of
    the hold. `noticed` rises whenever an operation fails because of it, so a release has to have seen all of them.
    `release_after` and `released`: the connection after which the release continues, and how many transactions it has
    released so far, and who has asked for it (empty: nobody, it came by itself).
    """

    id: str
    scope: Scope
    subject: str
    reason: str
    problem: Problem
    since: datetime
    tenant_id: str | None = None
    company_id: str | None = None
    connection_id: str | None = None
    account_id: str | None = None
    by_mapping: bool = False
    line: int | None = None
    transaction_id: str | None = None
    releasing: bool = False
    noticed: int = 0
    release_after: str = ""
    released: int = 0
    released_by: str = ""
