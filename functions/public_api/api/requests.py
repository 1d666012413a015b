"""What the routes read of a request."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Router

from feedlane.errors import Invalid


def body_of(router: Router) -> str | None:
    """The body as text, whether or not the gateway has put it into base64."""
    try:
        return router.current_event.decoded_body
    except ValueError:
        raise Invalid("The body is not UTF-8 text.") from None


def parameters_of(router: Router) -> dict[str, str]:
    return {name: value for name, value in router.current_event.query_string_parameters.items() if value is not None}
