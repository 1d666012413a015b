"""What is in the dead-letter queues, counted by the watch for their alarm and for the portal."""

from __future__ import annotations

from typing import NamedTuple

from feedlane.aws import clients
from feedlane.environment import environment

# Messages that somebody looks at are hidden meanwhile: they are there all the same.
_COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
_OF_SCHEDULES = "-schedule-dead-letters"


class Waiting(NamedTuple):
    """`alarming`: without those of the schedules, which have an alarm of their own, because it is what tells that the
    watch fails."""

    total: int = 0
    alarming: int = 0


def waiting() -> Waiting:
    """How many messages are in these queues."""
    counts = {url: _messages_in(url) for url in environment().dead_letter_queue_urls.split(",")}
    scheduled = sum(count for url, count in counts.items() if url.endswith(_OF_SCHEDULES))
    return Waiting(sum(counts.values()), sum(counts.values()) - scheduled)


def _messages_in(url: str) -> int:
    answer = clients.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=_COUNTS)
    return sum(int(answer["Attributes"][name]) for name in _COUNTS)
