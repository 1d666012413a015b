"""The parts of a request that the routes read."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Router

from feedlane.errors import Invalid
from feedlane.text import is_unicode


class Routes(Router):
    """The routes of one resource, with access to the current request."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def body(self) -> str | None:
        """The body as text, decoded if the gateway encoded it in Base64. Raises `Invalid`."""
        try:
            body = self.current_event.decoded_body
        except ValueError:
            raise Invalid("The body is not UTF-8 text.") from None
        if body and not is_unicode(body):
            raise Invalid("The body is not UTF-8 text.")
        return body

    def header(self, name: str) -> str | None:
        """The value of a header; `name` is in lower case."""
        headers = self.current_event.headers or {}
        return {key.lower(): value for key, value in headers.items()}.get(name)

    @property
    def parameters(self) -> dict[str, str]:
        parameters = self.current_event.query_string_parameters
        return {name: value for name, value in parameters.items() if value is not None}
