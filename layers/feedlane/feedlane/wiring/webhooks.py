"""Builds the deliverer and the replayer. Apart from the rest of the wiring: they do not need Xero's client."""

from __future__ import annotations

import random
from functools import lru_cache

from feedlane.aws import clients as aws
from feedlane.aws.ports import ports
from feedlane.aws.vault import LambdaVault
from feedlane.clock import system_clock
from feedlane.environment import environment
from feedlane.webhooks.cache import ExpiringCache
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.delivery import JITTER
from feedlane.webhooks.replayer import Replayer
from feedlane.webhooks.sender import WebhookSender


@lru_cache(maxsize=1)
def deliverer() -> Deliverer:
    aws.client("sqs")  # created before the threads start: boto3 cannot create clients in several threads
    vault = LambdaVault(aws.client("lambda", 35), environment().vault_arn)
    return Deliverer(
        ports(),
        secrets=ExpiringCache(vault.webhook_secrets, system_clock).get,
        headers=ExpiringCache(vault.webhook_headers, system_clock).get,
        post=WebhookSender(environment().webhook_targets, system_clock).post,
        jitter=lambda: random.uniform(-JITTER, JITTER),
    )


@lru_cache(maxsize=1)
def replayer() -> Replayer:
    return Replayer(ports(), deliverer())
