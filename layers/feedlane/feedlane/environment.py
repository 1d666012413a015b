"""The function's environment, read once. Every variable is set by `template.yaml`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Environment:
    table_name: str
    stage: str
    public_url: str
    xero_api_url: str
    xero_identity_url: str
    xero_login_url: str
    vault_function_name: str
    secrets_prefix: str
    transactions_queue_url: str
    transactions_dlq_url: str
    statements_queue_url: str
    checks_queue_url: str
    events_queue_url: str
    deliveries_queue_url: str
    event_bus_name: str
    webhook_targets: str


@lru_cache(maxsize=1)
def environment() -> Environment:
    """A variable that a function does not need is not set for it, and reads as an empty text."""
    return Environment(**{name: os.environ.get(name.upper(), "") for name in Environment.__annotations__})
