"""An endpoint's answer, before it becomes an HTTP response."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from local.simulator import exact_json

JSON = "application/json"
PROBLEM = "application/problem+json"
XML = "application/xml"


@dataclass(frozen=True)
class Answer:
    """`body` is any JSON value, bytes sent as they are, or None for an empty answer."""

    status: int
    body: Any = None
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_response(self, extra_headers: Mapping[str, str] | None = None) -> Response:
        headers = {**self.headers, **(extra_headers or {})}
        if self.body is None:
            return Response(status_code=self.status, headers=headers)
        content = self.body if isinstance(self.body, bytes) else exact_json.write(self.body)
        return Response(content, self.status, headers, self.media_type)
