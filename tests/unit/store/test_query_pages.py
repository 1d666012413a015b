"""The adapter behind answers of a megabyte: a limit is a limit, and what is not needed is not read."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.store.table import Throttled

ITEMS = 250
ITEMS_PER_ANSWER = 60


class PagingClient:
    """A partition of large items: an answer has at most sixty. It remembers how many each request could have had."""

    def __init__(self) -> None:
        self.limits: list[int | None] = []

    def query(self, **request: Any) -> dict[str, Any]:
        limit = request.get("Limit")
        self.limits.append(limit)
        start = int(request.get("ExclusiveStartKey", {"sk": {"S": "0"}})["sk"]["S"])
        end = min(ITEMS, start + min(limit or ITEMS, ITEMS_PER_ANSWER))
        numbers = [f"{number:03d}" for number in range(start + 1, end + 1)]
        answer = {"Items": [{"pk": {"S": "p"}, "sk": {"S": number}} for number in numbers]}
        return answer | ({"LastEvaluatedKey": answer["Items"][-1]} if end < ITEMS else {})


@pytest.mark.parametrize("limit", [1, 60, 100, 249, 1000, None])
def test_a_query_answers_no_more_than_its_limit(limit: int | None) -> None:
    expected = min(limit or ITEMS, ITEMS)
    client = PagingClient()
    found = [item["sk"] for item in DynamoDBTable(client, "table").query("p", limit=limit)]
    assert found == [f"{number:03d}" for number in range(1, expected + 1)]


def test_a_later_request_asks_for_the_rest_only() -> None:
    client = PagingClient()
    list(DynamoDBTable(client, "table").query("p", limit=100))
    assert client.limits == [100, 40]


def test_what_is_not_needed_is_not_read() -> None:
    client = PagingClient()
    assert len(list(islice(DynamoDBTable(client, "table").query("p"), 10))) == 10
    assert len(client.limits) == 1


class PartialAnswers:
    """DynamoDB that answers one key of a batch at a time, as it does when it throttles a partition."""

    def __init__(self, answers_max: int) -> None:
        self.left = answers_max

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 boto3's name
        [(name, request)] = RequestItems.items()
        first, *others = request["Keys"]
        self.left -= 1
        unread = {name: request | {"Keys": others}} if others and self.left >= 0 else {}
        return {"Responses": {name: [first]}, "UnprocessedKeys": unread}


def test_a_key_that_was_never_read_is_not_taken_for_an_absent_item() -> None:
    pauses: list[float] = []
    few = DynamoDBTable(PartialAnswers(20), "table", pauses.append)
    keys = [("p", f"{number}") for number in range(20)]
    assert len(few.get_many(keys[:8])) == 8
    assert len(pauses) == 7
    with pytest.raises(Throttled, match="keys unread"):
        few.get_many(keys)
