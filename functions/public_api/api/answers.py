"""JSON answers with exact amounts, and errors in Codat's envelope."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response

from feedlane.codat import errors
from feedlane.codat.paging import ANSWER_BYTES_MAX, answer_bytes
from feedlane.errors import Invalid
from feedlane.money import dumps

JSON = "application/json"


def ok(body: Any, status: int = 200) -> Response[str]:
    """Raises `Invalid` for a page that Lambda could not answer."""
    text = dumps(body)
    # Few answers are worth measuring: a character takes twelve bytes at most.
    if len(text) > ANSWER_BYTES_MAX // 12 and answer_bytes(text) > ANSWER_BYTES_MAX:
        raise Invalid.field("pageSize", "must be smaller: this page has more than 6 MB", "Range")
    return Response(status_code=status, content_type=JSON, body=text)


def created(body: Any) -> Response[str]:
    return ok(body, 201)


def no_content() -> Response[str]:
    """204, without a body."""
    return Response(status_code=204, content_type=JSON, body="")


def error_response(error: Exception, correlation_id: str, logger: Logger) -> dict[str, Any]:
    """The error as API Gateway expects it. One that is our fault is logged."""
    answer = errors.error_answer(error)
    if answer.status >= 500:
        logger.error("request failed", exc_info=error, correlation_id=correlation_id)
    body = dumps(answer.envelope(correlation_id))
    headers = {"Content-Type": JSON} | answer.headers
    return {"statusCode": answer.status, "body": body, "isBase64Encoded": False, "headers": headers}
