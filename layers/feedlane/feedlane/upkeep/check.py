"""One check of the test of the integration: what was found, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from feedlane.record import Record


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    RUNNING = "running"


class Check(Record):
    """`sentence` says what was found, `remedy` what to do about it."""

    title: str
    outcome: Outcome
    sentence: str
    remedy: str = ""
    consumer_id: str = ""
    event_id: str = ""
    """Of a webhook that is on its way."""


def ok(title: str, sentence: str) -> Check:
    return Check(title=title, outcome=Outcome.OK, sentence=sentence)


def failed(title: str, sentence: str, remedy: str) -> Check:
    return Check(title=title, outcome=Outcome.FAILED, sentence=sentence, remedy=remedy)


def skipped(title: str, sentence: str, remedy: str = "") -> Check:
    return Check(title=title, outcome=Outcome.SKIPPED, sentence=sentence, remedy=remedy)


def as_sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else ""
