"""What the routes read of a request."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Router

from feedlane.errors import Invalid


class Routes(Router):
    """The routes of one resource, and the request that one of them answers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def body(self) -> str | None:
        """As text, whether or not the gateway has put it into base64."""
        try:
            return self.current_event.decoded_body
        except ValueError:
            raise Invalid("The body is not UTF-8 text.") from None

    def header(self, name: str) -> str | None:
        """`name` in lower case; headers have any."""
        headers = self.current_event.headers or {}
        return {given.lower(): value for given, value in headers.items()}.get(name)

    @property
    def parameters(self) -> dict[str, str]:
        given = self.current_event.query_string_parameters
        return {name: value for name, value in given.items() if value is not None}
