"""AWS clients whose calls say `Unavailable` when their service cannot be reached, fails or throttles.

The one place that knows what boto3 raises then. Whoever calls decides on a kind of the domain: the API answers 503, a
message is received again, a page asks to wait a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected

from feedlane.errors import Unavailable

RETRY_AFTER_SECONDS = 2
_NAMES = {
    "dynamodb": "The table",
    "sqs": "The queue",
    "lambda": "The vault",
    "secretsmanager": "Secrets Manager",
    "events": "The event bus",
    "sns": "The topic of the alarms",
}
# Answers below 500 that ask to come back. Those of a transaction are reasons inside its own error.
THROTTLING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "RequestThrottled",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
T = TypeVar("T")


class Reached:
    """`client` is boto3's for the service. What is not a method of the service is passed on as it is."""

    def __init__(self, client: Any, service: str) -> None:
        self._client, self._service = client, service

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        return self._reaching(value) if callable(value) else value

    def _reaching(self, call: Callable[..., T]) -> Callable[..., T]:
        @wraps(call)
        def reach(*arguments: Any, **keywords: Any) -> T:
            try:
                return call(*arguments, **keywords)
            except (ClientError, HTTPClientError, NotConnected) as error:
                # The adapter of the table tries again itself what is throttled.
                if is_unavailable(error) and not (self._service == "dynamodb" and is_throttled(error)):
                    raise unavailable(self._service, error) from error
                raise

        return reach


def is_unavailable(error: Exception) -> bool:
    """Whether the same call may succeed later: no answer, an answer of 500 or more, or one that asks to come back."""
    if not isinstance(error, ClientError):
        return True
    response: Any = error.response
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500 or is_throttled(error)


def is_throttled(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return False
    response: Any = error.response
    reasons = {reason.get("Code") for reason in response.get("CancellationReasons", [])} - {None, "None"}
    if response["Error"]["Code"] == "TransactionCanceledException":
        return bool(reasons) and reasons <= THROTTLING
    return response["Error"]["Code"] in THROTTLING


def unavailable(service: str, error: Exception) -> Unavailable:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    return Unavailable(f"{_NAMES.get(service, service)} is not available at the moment ({code})", RETRY_AFTER_SECONDS)
