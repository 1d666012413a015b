"""The public API: knows who calls, finds the route, and answers in Codat's words."""

from __future__ import annotations

import uuid
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response

from api import cross_origin, parts
from api.authentication import authenticate
from api.paths import with_one_segment
from api.routing import resolver
from feedlane.codat import errors
from feedlane.environment import Environment, require
from feedlane.money import dumps

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.vault_function_name,
    Environment.transactions_queue_url,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.deliveries_queue_url,
    Environment.webhook_targets,
)

logger = Logger()
app = resolver()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    correlation_id = uuid.uuid4().hex
    method = event["requestContext"]["http"]["method"].upper()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    app.context["correlation_id"] = correlation_id
    try:
        if method == "OPTIONS":
            answer = cross_origin.preflight()
        else:
            authenticate(parts.current.store, headers.get("authorization"), parts.current.clock())
            answer = app.resolve(event | {"rawPath": with_one_segment(method, event["rawPath"])}, context)
    except Exception as error:
        answer = _told(error, correlation_id)
    answer["headers"] |= {"X-Correlation-Id": correlation_id} | cross_origin.headers_for(headers.get("origin"))
    logger.info("answered", method=method, status=answer["statusCode"], correlation_id=correlation_id)
    return answer


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Powertools would log whatever a route raises as an error, a 404 too."""
    told = _told(error, str(app.context.get("correlation_id", "")))
    return Response(status_code=told["statusCode"], body=told["body"], headers=told["headers"])


def _told(error: Exception, correlation_id: str) -> dict[str, Any]:
    told = errors.answer(error)
    if told.status >= 500:
        logger.error("request failed", exc_info=error, correlation_id=correlation_id)
    headers = {"Content-Type": "application/json"} | told.headers
    body = dumps(told.envelope(correlation_id))
    return {"statusCode": told.status, "body": body, "isBase64Encoded": False, "headers": headers}
