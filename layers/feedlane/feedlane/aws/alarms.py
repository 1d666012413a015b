"""Who gets the alarms."""

from __future__ import annotations

from typing import NamedTuple

from feedlane.aws import clients
from feedlane.environment import environment

_PENDING = "PendingConfirmation"


class Recipients(NamedTuple):
    """`pending`: addresses that have not followed the link in the mail that confirms them, and get nothing yet."""

    confirmed: int
    pending: int


def recipients() -> Recipients:
    """Of the first hundred: more than one is enough. Raises `Unavailable`."""
    answer = clients.client("sns").list_subscriptions_by_topic(TopicArn=environment().alarm_topic_arn)
    arns = [str(one["SubscriptionArn"]) for one in answer["Subscriptions"]]
    pending = arns.count(_PENDING)
    return Recipients(len(arns) - pending, pending)
