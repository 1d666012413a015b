"""The public API: knows who calls, finds the route, and answers in Codat's words."""

from __future__ import annotations

import uuid
from typing import Any

from aws_lambda_powertools import Logger

from api import cross_origin, parts
from api.authentication import authenticate
from api.paths import with_one_segment
from api.routing import resolver
from feedlane.codat import errors
from feedlane.money import dumps

logger = Logger()
app = resolver()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    correlation_id = uuid.uuid4().hex
    method = event["requestContext"]["http"]["method"].upper()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        if method == "OPTIONS":
            answer = cross_origin.preflight()
        else:
            authenticate(parts.current.store, headers.get("authorization"), parts.current.clock())
            answer = app.resolve(event | {"rawPath": with_one_segment(method, event["rawPath"])}, context)
    except Exception as error:
        answer = _failed(error, correlation_id)
    answer["headers"] = (
        {"Content-Type": "application/json"}
        | answer.get("headers", {})
        | {"X-Correlation-Id": correlation_id}
        | cross_origin.headers_for(headers.get("origin"))
    )
    logger.info("answered", method=method, status=answer["statusCode"], correlation_id=correlation_id)
    return answer


def _failed(error: Exception, correlation_id: str) -> dict[str, Any]:
    told = errors.answer(error)
    if told.status >= 500:
        logger.exception("request failed", correlation_id=correlation_id)
    body = dumps(told.envelope(correlation_id))
    return {"statusCode": told.status, "body": body, "isBase64Encoded": False, "headers": dict(told.headers)}
