"""A browser for the pages' handlers: it keeps cookies and sends forms, but follows no redirects."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from feedlane.web.site import Site
from tests.handlers import Context, load

# The function for the first part of the path.
_FUNCTIONS = {"link": "link", "oauth": "oauth_callback", "portal": "portal"}


@dataclass(frozen=True)
class PageAnswer:
    """An answer of the pages, as a browser gets it."""

    status: int
    body: str
    headers: dict[str, str]
    cookies: list[str]

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def path(self) -> str:
        return urlsplit(self.location).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}


class Browser:
    """Keeps cookies by name and path as a browser does, and sends forms."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.jar: dict[tuple[str, str], str] = {}

    def get(self, address: str, **extra: Any) -> PageAnswer:
        return self._send("GET", address, None, extra)

    def post(self, address: str, form: dict[str, str], **extra: Any) -> PageAnswer:
        return self._send("POST", address, urlencode(form), extra)

    def _send(self, method: str, address: str, body: str | None, extra: dict[str, Any]) -> PageAnswer:
        parts = urlsplit(address)
        event = {
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "cookies": [f"{name}={value}" for (name, path), value in self.jar.items() if parts.path.startswith(path)],
            "headers": {"content-type": "application/x-www-form-urlencoded"} | extra.get("headers", {}),
            "requestContext": {
                "domainName": "gateway.example",
                "stage": "$default",
                "http": {"method": method, "path": parts.path},
            },
            "body": base64.b64encode(body.encode()).decode() if body is not None else None,
            "isBase64Encoded": body is not None,
        } | extra.get("event", {})
        module = load(_FUNCTIONS.get(parts.path.split("/")[1], "link"))
        module.site = self.site  # type: ignore[attr-defined]
        answer = module.handler(event, Context())
        for cookie in answer["cookies"]:
            self._store(cookie)
        return PageAnswer(answer["statusCode"], answer["body"], answer["headers"], answer["cookies"])

    def _store(self, cookie: str) -> None:
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        path = next(text.removeprefix("Path=") for text in attributes if text.startswith("Path="))
        if "Max-Age=0" in attributes:
            self.jar.pop((name, path), None)
        else:
            self.jar[name, path] = value
