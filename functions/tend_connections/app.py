"""Not built yet."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"statusCode": 501, "headers": {"content-type": "application/json"}, "body": '{"error": "not built yet"}'}
