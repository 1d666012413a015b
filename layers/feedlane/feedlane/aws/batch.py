"""An SQS batch, handled record by record or group by group; only the failed records are reported as failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from aws_lambda_powertools import Logger

# The delay before a failed message is retried: short at first, so that a passing fault costs seconds, not minutes.
RETRY_PAUSE_SECONDS_MIN = 2
RETRY_PAUSE_SECONDS_MAX = 300
# The time that one message may take when its dependency hangs. If Lambda ends the function within a batch, the whole
# batch is retried minutes later, and its last messages may never be handled.
TIME_LEFT_MILLISECONDS_MIN = 28_000
# For functions that call Xero: most messages take a fraction of this, and one that takes longer may get no answer.
HANGS_AFTER_SECONDS = 1.5

Postpone = Callable[["SqsRecord", int], None]
TimeLeft = Callable[[], int]
"""How many milliseconds are left to the function."""


@dataclass(frozen=True)
class SqsRecord:
    """A message as Lambda passes it to the function."""

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
    hangs_after: float | None = None,
) -> dict[str, Any]:
    """Handles each group's records together, in order. All records of a failed group are reported, none of others.

    The group with the most receives comes first, so that none starves. With `hangs_after`, one
    that hangs does not keep the others waiting (`overlapping`). Records for which there is no time left are
    retried soon.
    """
    records = sorted(map(SqsRecord.of, event["Records"]), key=lambda record: record.group)
    groups = [list(members) for _, members in groupby(records, key=lambda record: record.group)]
    ordered = sorted(groups, key=lambda group: min(map(_urgency, group)))

    def work(group: list[SqsRecord]) -> bool:
        facts = {"group": group[0].group}
        return _has_time(time_left, logger, facts) and _succeeds(partial(handle, group), logger, facts)

    done = overlapping([partial(work, group) for group in ordered], hangs_after)
    failed = [record for group, is_done in zip(ordered, done, strict=True) if not is_done for record in group]
    return _batch_response(failed, postpone, logger)


def one_by_one(
    event: dict[str, Any],
    handle: Callable[[SqsRecord], None],
    postpone: Postpone,
    logger: Logger,
    time_left: TimeLeft,
    hangs_after: float | None = None,
) -> dict[str, Any]:
    """Handles each record by itself, for a standard queue, and that with the most receives first.

    With `hangs_after`, one that hangs does not keep the others waiting. Records for which no time is left are retried
    soon.
    """
    ordered = sorted(map(SqsRecord.of, event["Records"]), key=_urgency)

    def work(record: SqsRecord) -> bool:
        facts = {"message_id": record.id}
        return _has_time(time_left, logger, facts) and _succeeds(partial(handle, record), logger, facts)

    done = overlapping([partial(work, record) for record in ordered], hangs_after)
    return _batch_response(
        [record for record, is_done in zip(ordered, done, strict=True) if not is_done], postpone, logger
    )


def together(
    event: dict[str, Any],
    handle_all: Callable[[list[SqsRecord]], None],
    handle: Callable[[SqsRecord], None],
    postpone: Postpone,
    logger: Logger,
    time_left: TimeLeft,
) -> dict[str, Any]:
    """Handles all records in one go, for a standard queue; if that fails, each by itself."""
    records = list(map(SqsRecord.of, event["Records"]))
    if len(records) > 1 and _has_time(time_left, logger, {"messages": str(len(records))}):
        try:
            handle_all(records)
        except Exception as error:  # its cause is logged where it concerns one record
            logger.debug("handled one by one", extra={"reason": type(error).__name__})
        else:
            return {"batchItemFailures": []}
    return one_by_one(event, handle, postpone, logger, time_left)


def concurrently(
    event: dict[str, Any],
    handle: Callable[[SqsRecord], None],
    postpone: Postpone,
    logger: Logger,
    seconds: float,
) -> dict[str, Any]:
    """Handles all records in parallel, for a standard queue. A record not done within `seconds` counts as failed."""
    pool = ThreadPoolExecutor(max_workers=max(1, len(event["Records"])))
    records = {}
    for record in map(SqsRecord.of, event["Records"]):
        work = partial(_succeeds, partial(handle, record), logger, {"message_id": record.id})
        records[pool.submit(work)] = record
    done, _ = wait(records, timeout=max(0.0, seconds))
    pool.shutdown(wait=False, cancel_futures=True)
    failed = [record for future, record in records.items() if future not in done or not future.result()]
    return _batch_response(failed, postpone, logger)


def overlapping(works: Sequence[Callable[[], bool]], hangs_after: float | None) -> list[bool]:
    """Does one work after the other, in this order, but the next one waits no longer than so many seconds for it.

    It then begins beside it. The call returns when all are done.
    """
    if len(works) <= 1 or hangs_after is None:
        return [work() for work in works]
    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        futures = []
        for work in works:
            futures.append(pool.submit(copy_context().run, work))
            wait(futures[-1:], timeout=hangs_after)
        return [future.result() for future in futures]


def lateness(event: dict[str, Any], now: datetime) -> timedelta:
    """How long the most overdue of these messages has been `due`, if they have that field.

    Their age in the queue would not do: a delayed message waits on purpose.
    """
    latest = timedelta()
    for record in event["Records"]:
        with suppress(ValueError, KeyError, TypeError):  # an unreadable message fails in its handler
            latest = max(latest, now - datetime.fromisoformat(json.loads(record["body"])["due"]))
    return latest


def _urgency(record: SqsRecord) -> tuple[int, datetime]:
    """Sorts records: those received most often first, and of these the oldest."""
    return -record.receives, record.sent_at


def _has_time(time_left: TimeLeft, logger: Logger, facts: dict[str, str]) -> bool:
    if time_left() >= TIME_LEFT_MILLISECONDS_MIN:
        return True
    logger.info("no time left for the message", extra=facts)
    return False


def _succeeds(work: Callable[[], None], logger: Logger, facts: dict[str, str]) -> bool:
    """The edge of the function: every error is logged, and its message is retried or ends in the DLQ."""
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
        pause = retry_pause_seconds(record.receives)
        _succeeds(partial(postpone, record, pause), logger, {"message_id": record.id})
    return {"batchItemFailures": failures}


def retry_pause_seconds(receives: int) -> int:
    """The pause after so many receives, whether they failed or had no time: it doubles, up to five minutes.

    `maxReceiveCount` in template.yaml is made for these pauses.
    """
    pause: int = RETRY_PAUSE_SECONDS_MIN * 2 ** min(receives - 1, 16)
    return min(RETRY_PAUSE_SECONDS_MAX, pause)
