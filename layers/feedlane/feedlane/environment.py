"""The environment variables that `template.yaml` sets for the functions, each as a field with a name.

Each function's `app.py` names the variables that it needs, and does not start without them. Reading a variable that is
not set fails as well: there is no default, and no empty string in its place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import overload


class VariableMissing(RuntimeError):
    """The message names the variables that are missing or empty."""


@dataclass(frozen=True)
class Variable:
    """One environment variable, as a field of `Environment`."""

    name: str

    @overload
    def __get__(self, environment: None, owner: type) -> Variable: ...
    @overload
    def __get__(self, environment: Environment, owner: type) -> str: ...
    def __get__(self, environment: Environment | None, owner: type) -> Variable | str:
        """The variable's value, never empty; on the class, the variable itself."""
        if environment is None:
            return self
        if value := environment.values.get(self.name):
            return value
        raise VariableMissing(f"{self.name} is missing or empty")


@dataclass(frozen=True)
class Environment:
    values: Mapping[str, str]

    table_name = Variable("TABLE_NAME")
    event_bus_name = Variable("EVENT_BUS_NAME")
    events_queue_url = Variable("EVENTS_QUEUE_URL")
    deliveries_queue_url = Variable("DELIVERIES_QUEUE_URL")
    webhook_targets = Variable("WEBHOOK_TARGETS")
    secrets_prefix = Variable("SECRETS_PREFIX")
    token_sets_per_secret = Variable("TOKEN_SETS_PER_SECRET")
    vault_arn = Variable("VAULT_ARN")
    """Of the caller's own alias: it may invoke no other."""
    xero_api_url = Variable("XERO_API_URL")
    xero_identity_url = Variable("XERO_IDENTITY_URL")
    xero_login_url = Variable("XERO_LOGIN_URL")
    codat_api_url = Variable("CODAT_API_URL")
    transactions_queue_url = Variable("TRANSACTIONS_QUEUE_URL")
    transactions_dlq_url = Variable("TRANSACTIONS_DLQ_URL")
    dead_letter_queue_urls = Variable("DEAD_LETTER_QUEUE_URLS")
    """Separated by commas."""
    tend_connections = Variable("TEND_CONNECTIONS")
    """The function's name."""
    statements_queue_url = Variable("STATEMENTS_QUEUE_URL")
    checks_queue_url = Variable("CHECKS_QUEUE_URL")
    alarm_topic_arn = Variable("ALARM_TOPIC_ARN")
    public_url = Variable("PUBLIC_URL")

    # Powertools reads these by itself.
    log_level = Variable("POWERTOOLS_LOG_LEVEL")
    service_name = Variable("POWERTOOLS_SERVICE_NAME")
    metrics_namespace = Variable("POWERTOOLS_METRICS_NAMESPACE")


@lru_cache(maxsize=1)
def environment() -> Environment:
    return Environment(dict(os.environ))


def require(*variables: Variable) -> None:
    """Raises `VariableMissing` unless these are set, and those that every function's logger needs."""
    required = (Environment.log_level, Environment.service_name, *variables)
    missing = [variable.name for variable in required if not os.environ.get(variable.name)]
    if missing:
        raise VariableMissing(f"{', '.join(missing)}: missing or empty, but required by this function")
