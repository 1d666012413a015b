"""The parts of webhooks put together, apart from `wiring`: whoever delivers has no use for Xero's client."""

from __future__ import annotations

import random
from functools import lru_cache

from feedlane import aws
from feedlane.clock import system_clock
from feedlane.delivering import Deliverer
from feedlane.delivery import JITTER
from feedlane.environment import environment
from feedlane.ids import new_id
from feedlane.replaying import Replayer
from feedlane.signature import Remembered
from feedlane.vault_client import LambdaVault
from feedlane.webhook_sender import WebhookSender


@lru_cache(maxsize=1)
def deliverer() -> Deliverer:
    aws.client("sqs")  # boto3 makes clients in one thread only
    vault = LambdaVault(aws.client("lambda", 35), environment().vault_function_name)
    return Deliverer(
        store=aws.store(),
        queues=aws.queues(),
        secrets=Remembered(vault.webhook_secrets, system_clock).of,
        headers=Remembered(vault.webhook_headers, system_clock).of,
        post=WebhookSender(environment().webhook_targets, system_clock).post,
        clock=system_clock,
        jitter=lambda: random.uniform(-JITTER, JITTER),
        new_id=new_id,
    )


@lru_cache(maxsize=1)
def replayer() -> Replayer:
    own = deliverer()
    return Replayer(own.store, own.queues, own, own.clock)
