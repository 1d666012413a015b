"""A hold: a recorded reason why nothing may be sent now, for the app, a tenant, a connection or a feed."""

from __future__ import annotations

from datetime import datetime

from feedlane.problem import Problem
from feedlane.record import Record
from feedlane.scope import Scope


class Hold(Record):
    """`subject` is what is held: "app", a tenant id, a connection id or a feed id.

    `releasing`: its release has begun and goes on by itself. Nothing is sent yet, and nothing fails on its account.
    `noticed` rises whenever an operation fails on its account: whoever lifts the hold has seen them all.
    `release_after` and `released`: the connection behind which its release goes on, and how many transactions go on
    already.
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
    releasing: bool = False
    noticed: int = 0
    release_after: str = ""
    released: int = 0
