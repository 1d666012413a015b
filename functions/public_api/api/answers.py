"""JSON answers with exact amounts."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from feedlane.money import dumps

JSON = "application/json"


def ok(body: Any, status: int = 200) -> Response[str]:
    return Response(status_code=status, content_type=JSON, body=dumps(body))


def created(body: Any) -> Response[str]:
    return ok(body, 201)


def no_content() -> Response[str]:
    """204, without a body."""
    return Response(status_code=204, content_type=JSON, body="")
