"""The public API: authenticates the caller, finds the route, and answers in Codat's format."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response

from api import cross_origin
from api.answers import error_response
from api.authentication import authenticate
from api.door import address_of, admit, headers_of, method_of
from api.parts import current_parts
from api.resolver import build_resolver
from feedlane.environment import Environment, require

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.codat_api_url,
    Environment.vault_arn,
    Environment.transactions_queue_url,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.deliveries_queue_url,
    Environment.webhook_targets,
)

# Answers have keys, amounts and names in them: no cache keeps them, and no browser guesses what they are.
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

logger = Logger()
app = build_resolver()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    correlation_id = uuid.uuid4().hex
    method, headers = method_of(event), headers_of(event)
    app.context["correlation_id"] = correlation_id
    try:
        admitted = admit(event)
        if method == "OPTIONS":
            answer = cross_origin.preflight()
        else:
            now = current_parts().clock()
            authenticate(current_parts().store, headers.get("authorization"), address_of(event), now)
            answer = app.resolve(admitted, context)
    except Exception as error:
        answer = error_response(error, correlation_id, logger)
    answer["headers"] |= ALWAYS | {"X-Correlation-Id": correlation_id} | _cross_origin_headers(headers)
    logger.info("answered", method=method, status=answer["statusCode"], correlation_id=correlation_id)
    return answer


def _cross_origin_headers(headers: dict[str, str]) -> dict[str, str]:
    """None if the origins cannot be read: the answer must not be lost with them."""
    with suppress(Exception):
        return cross_origin.headers_for(headers.get("origin"))
    return {}


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def answer_error(error: Exception) -> Response[str]:
    """Without this, Powertools logs everything a route raises as an error, even a 404."""
    answer = error_response(error, str(app.context.get("correlation_id", "")), logger)
    return Response(status_code=answer["statusCode"], body=answer["body"], headers=answer["headers"])
