"""A service that is down, slow or throttling is `Unavailable`, whatever its client raises; other errors stay."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.aws.reached import Reached
from feedlane.codat.errors import error_answer
from feedlane.errors import Unavailable
from feedlane.store.table import Delete, Throttled

URL = "https://service.test"


class Client:
    """boto3's client with one method, which fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def call(self, **request: Any) -> None:
        raise self._error


def answered(code: str, status: int, *reasons: str) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    if reasons:
        response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(response, "Call")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        answered("InternalServerError", 500),
        answered("ServiceUnavailable", 503),
    ],
)
def test_what_may_succeed_later_is_unavailable_and_a_503(error: Exception) -> None:
    with pytest.raises(Unavailable) as raised:
        Reached(Client(error), "dynamodb").call()
    answer = error_answer(raised.value)
    assert (answer.status, answer.retry, answer.headers) == (503, "True", {"Retry-After": "2"})


THROTTLED = [
    answered("ProvisionedThroughputExceededException", 400),
    answered("RequestThrottled", 403),
    answered("TransactionCanceledException", 400, "None", "ThrottlingError"),
]


@pytest.mark.parametrize("error", THROTTLED)
def test_a_service_that_throttles_is_unavailable(error: Exception) -> None:
    with pytest.raises(Unavailable):
        Reached(Client(error), "sqs").call()


@pytest.mark.parametrize("error", THROTTLED)
def test_a_table_that_throttles_a_commit_is_asked_again_and_then_busy(error: Exception) -> None:
    pauses: list[float] = []
    client = Client(error)
    client.transact_write_items = client.call  # type: ignore[attr-defined]
    with pytest.raises(Throttled) as raised:
        DynamoDBTable(Reached(client, "dynamodb"), "table", pauses.append).commit(Delete(("pk", "sk")))
    assert len(pauses) == 7
    assert error_answer(raised.value).status == 503


@pytest.mark.parametrize(
    "error",
    [
        answered("ValidationException", 400),
        answered("TransactionCanceledException", 400, "ConditionalCheckFailed", "None"),
        answered("TransactionCanceledException", 400, "ThrottlingError", "ValidationError"),
        answered("TransactionConflictException", 400),
        answered("AccessDeniedException", 400),
    ],
)
def test_what_no_later_call_mends_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(ClientError) as raised:
        Reached(Client(error), "dynamodb").call()
    assert raised.value is error
