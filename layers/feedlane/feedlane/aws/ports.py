"""The ports of every function: on AWS, with the system's clock."""

from __future__ import annotations

from functools import lru_cache

from feedlane.aws import clients
from feedlane.aws.queues import queues
from feedlane.clock import system_clock
from feedlane.environment import environment
from feedlane.ids import new_id
from feedlane.ports import Ports


@lru_cache(maxsize=1)
def ports() -> Ports:
    return Ports(clients.store(), queues(), system_clock, new_id, environment().public_url.rstrip("/"))
