"""An SQS batch, record by record or group by group, with only what failed reported as failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from aws_lambda_powertools import Logger

# How soon a failed message is seen again: soon at first, so that a passing fault costs seconds, not minutes.
RETRY_PAUSE_SECONDS_MIN = 2
RETRY_PAUSE_SECONDS_MAX = 300
# What one more message may take when the other side hangs. Whoever is ended by Lambda in the middle of a batch has to
# do all of it again, minutes later, and what stands at its end may never have its turn.
TIME_LEFT_MILLISECONDS_MIN = 28_000

Postpone = Callable[["SqsRecord", int], None]
TimeLeft = Callable[[], int]
"""How many milliseconds the function still has."""


@dataclass(frozen=True)
class SqsRecord:
    """A message as Lambda hands it over."""

    id: str
    receipt: str
    body: str
    group: str
    receives: int
    sent_at: datetime

    @classmethod
    def of(cls, raw: dict[str, Any]) -> SqsRecord:
        attributes = raw["attributes"]
        return cls(
            id=raw["messageId"],
            receipt=raw["receiptHandle"],
            body=raw["body"],
            group=attributes.get("MessageGroupId", ""),
            receives=int(attributes.get("ApproximateReceiveCount", "1")),
            sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        )


def by_group(
    event: dict[str, Any],
    handle: Callable[[list[SqsRecord]], None],
    postpone: Postpone,
    logger: Logger,
    time_left: TimeLeft,
) -> dict[str, Any]:
    """Each group's records together, in order. A group that fails is reported whole; the others are not touched.

    Those that have waited most often come first. What there is no time for any more comes again soon.
    """
    records = sorted(map(SqsRecord.of, event["Records"]), key=lambda record: record.group)
    groups = [list(together) for _, together in groupby(records, key=lambda record: record.group)]
    failed: list[SqsRecord] = []
    for some in sorted(groups, key=lambda some: -some[0].receives):
        facts = {"group": some[0].group}
        if not _has_time(time_left, logger, facts) or not _succeeds(partial(handle, some), logger, facts):
            failed += some
    return _batch_response(failed, postpone, logger)


def one_by_one(
    event: dict[str, Any], handle: Callable[[SqsRecord], None], postpone: Postpone, logger: Logger, time_left: TimeLeft
) -> dict[str, Any]:
    """Each record by itself, for a standard queue. What there is no time for any more comes again soon."""
    failed = []
    for record in map(SqsRecord.of, event["Records"]):
        facts = {"message_id": record.id}
        if not _has_time(time_left, logger, facts) or not _succeeds(partial(handle, record), logger, facts):
            failed.append(record)
    return _batch_response(failed, postpone, logger)


def concurrently(
    event: dict[str, Any],
    handle: Callable[[SqsRecord], None],
    postpone: Postpone,
    logger: Logger,
    seconds: float,
) -> dict[str, Any]:
    """All records side by side, for a standard queue. One that is not done within `seconds` counts as failed."""
    pool = ThreadPoolExecutor(max_workers=max(1, len(event["Records"])))
    started = {}
    for record in map(SqsRecord.of, event["Records"]):
        work = partial(_succeeds, partial(handle, record), logger, {"message_id": record.id})
        started[pool.submit(work)] = record
    done, _ = wait(started, timeout=max(0.0, seconds))
    pool.shutdown(wait=False, cancel_futures=True)
    failed = [record for future, record in started.items() if future not in done or not future.result()]
    return _batch_response(failed, postpone, logger)


def lateness(event: dict[str, Any], now: datetime) -> timedelta:
    """How long ago the first of these messages was `due`, if they say so.

    Their age in the queue would not tell: one that waits for its time does so on purpose.
    """
    late = timedelta()
    for record in event["Records"]:
        with suppress(ValueError, KeyError, TypeError):  # one that cannot be read fails where it is handled
            late = max(late, now - datetime.fromisoformat(json.loads(record["body"])["due"]))
    return late


def _has_time(time_left: TimeLeft, logger: Logger, facts: dict[str, str]) -> bool:
    if time_left() >= TIME_LEFT_MILLISECONDS_MIN:
        return True
    logger.info("no time left for the message", extra=facts)
    return False


def _succeeds(work: Callable[[], None], logger: Logger, facts: dict[str, str]) -> bool:
    """The edge of the function: whatever goes wrong is logged, and its message comes again or ends in the DLQ."""
    try:
        work()
    except Exception:
        logger.exception("message failed", extra=facts)
        return False
    return True


def _batch_response(failed: Iterable[SqsRecord], postpone: Postpone, logger: Logger) -> dict[str, Any]:
    failures = []
    for record in failed:
        failures.append({"itemIdentifier": record.id})
        pause = min(RETRY_PAUSE_SECONDS_MAX, RETRY_PAUSE_SECONDS_MIN * 2 ** (record.receives - 1))
        _succeeds(lambda record=record, pause=pause: postpone(record, pause), logger, {"message_id": record.id})  # type: ignore[misc]
    return {"batchItemFailures": failures}
