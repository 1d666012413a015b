"""What is in the dead-letter queues, counted by the watch for their alarm.

The queue of the schedules is not among them: it has an alarm of its own, because it is what tells that the watch fails.
"""

from __future__ import annotations

from feedlane.aws import clients
from feedlane.environment import environment

_COUNT = "ApproximateNumberOfMessages"


def waiting() -> int:
    """How many messages can be received from these queues."""
    return sum(map(_messages_in, environment().dead_letter_queue_urls.split(",")))


def _messages_in(url: str) -> int:
    answer = clients.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[_COUNT])
    return int(answer["Attributes"][_COUNT])
