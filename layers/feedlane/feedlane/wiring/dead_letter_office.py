"""The dead letters as a function has them: how many there are, what they are about, and back to where they came from.

SQS shows a message by handing it out: nobody else is given it until it is returned. A look returns all of it at once.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedlane.aws import clients
from feedlane.aws.dead_letter_queue import DeadLetter, DeadLetterQueue
from feedlane.aws.put_back import Aws, NotPutBack
from feedlane.environment import environment
from feedlane.errors import Unavailable
from feedlane.wiring.dead_letters import KINDS, Concern, Kind

# Longer than the portal lives: only if it is killed meanwhile do others wait for so long, or for the last of thousands.
VISIBILITY_SECONDS = 30
LOOK_SECONDS_MAX = 8
PUT_BACK_SECONDS_MAX = 12
IN_ORDER = "earlier messages of its feed come first"
BY_COMMAND = "its events are still in the table's stream, which only the command line can read"

seconds = time.monotonic


@dataclass(frozen=True)
class ShownLetter:
    """What may be shown of a letter: nothing of its content. `reason` is empty if its function kept failing.

    `waits`: an earlier letter of its feed goes first. `by_command`: only the command line can put it back.
    """

    id: str
    meaning: str
    concern: Concern
    reason: str
    sent_at: datetime
    receives: int
    waits: bool
    by_command: bool


@dataclass
class PutBackResult:
    """Which went back, and why others did not, by their ids.

    `missing` were not shown, because somebody else has them; or, if it was `out_of_time`, not yet. `cut_off`: the
    queues have stopped answering, so one more may be back, and is still in its dead-letter queue.
    """

    returned: list[str] = field(default_factory=list)
    out_of_time: bool = False
    cut_off: bool = False
    kept: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class DeadLetterOffice:
    aws: Aws

    def counts(self) -> Mapping[str, int]:
        """About how many there are of each kind: SQS counts approximately."""
        return {name: self._queue(kind).count() for name, kind in KINDS.items()}

    def look(self, kind: Kind, limit: int) -> Sequence[ShownLetter]:
        """Up to `limit` letters, those of a feed in their order. Of one feed SQS shows ten, until these are gone."""
        end, found, groups = seconds() + LOOK_SECONDS_MAX, list[ShownLetter](), set[str]()
        with self._queue(kind) as queue:
            for letter in queue.letters(enough=limit):
                found.append(_shown(kind, letter, letter.group in groups))
                groups |= {letter.group} - {""}
                if len(found) == limit or seconds() > end:
                    break
        return found

    def put_back(self, kind: Kind, ids: Collection[str]) -> PutBackResult:
        """Puts those letters back that have these ids. Each leaves its dead-letter queue only when it is back.

        None goes back before an earlier one of its feed: the ledger would then have to refuse that one.
        """
        result = PutBackResult(missing=set(ids))
        try:
            self._put_all_back(kind, result)
        except Unavailable:
            result.cut_off = True
        return result

    def _put_all_back(self, kind: Kind, result: PutBackResult) -> None:
        end = seconds() + PUT_BACK_SECONDS_MAX
        sent: set[str] = set()
        waiting: set[str] = set()
        with self._queue(kind) as queue:
            for letter in queue.letters():
                if seconds() > end:
                    result.out_of_time = True
                    break
                if {letter.id, letter.deduplication_id} & sent:
                    continue  # it failed again already
                if letter.id in result.missing:
                    self._put_one_back(kind, queue, letter, result, sent, letter.group in waiting)
                if letter.group and letter.id not in sent:
                    waiting.add(letter.group)
                if not result.missing:
                    break

    def _put_one_back(
        self, kind: Kind, queue: DeadLetterQueue, letter: DeadLetter, result: PutBackResult, sent: set[str], waits: bool
    ) -> None:
        result.missing.discard(letter.id)
        try:
            if waits:
                raise NotPutBack(IN_ORDER)
            sent |= {letter.id, kind.put_back(self.aws, letter) or letter.id}
        except NotPutBack as error:
            result.kept[letter.id] = str(error)
            return
        queue.remove(letter)
        result.returned.append(letter.id)

    def _queue(self, kind: Kind) -> DeadLetterQueue:
        return DeadLetterQueue(
            self.aws.client("sqs"), self.aws.queue_url(kind.queue), VISIBILITY_SECONDS, one_by_one=True
        )


def _shown(kind: Kind, letter: DeadLetter, waits: bool) -> ShownLetter:
    return ShownLetter(
        letter.id,
        kind.describe(letter),
        kind.concern(letter),
        letter.reason,
        letter.sent_at,
        letter.receives,
        waits,
        letter.is_of_the_stream,
    )


class FunctionAws:
    """Implements `Aws` with the function's own rights, and the names in its environment."""

    def client(self, service: str) -> Any:
        return clients.client(service)

    def table_streams(self) -> Any:
        raise NotPutBack(BY_COMMAND)

    def queue_url(self, name: str) -> str:
        sources = (
            environment().transactions_queue_url,
            environment().statements_queue_url,
            environment().checks_queue_url,
            environment().deliveries_queue_url,
            environment().events_queue_url,
        )
        urls = (*environment().dead_letter_queue_urls.split(","), *sources)
        return next(url for url in urls if url.endswith(f"-{name}"))

    def function_name(self, name: str) -> str:
        """Of the only one that a letter of the portal's starts."""
        return environment().tend_connections
