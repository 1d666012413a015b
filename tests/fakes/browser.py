"""A browser in front of the page handlers: it keeps cookies and sends forms, but does not follow redirects."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from feedlane.web.site import Site
from tests.handlers import Context, load

# The function that serves a path, by the path's first segment.
_FUNCTIONS = {
    "link": "link",
    "oauth": "oauth_callback",
    "codat": "oauth_callback",
    "portal": "portal",
    "": "portal",
    "favicon.ico": "portal",
}


@dataclass(frozen=True)
class PageResponse:
    """A response as a browser receives it."""

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
    """Keeps cookies by name and path, and refuses what a real browser refuses: a `__Host-` cookie that is not one."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.jar: dict[tuple[str, str], str] = {}

    def get(self, url: str, **overrides: Any) -> PageResponse:
        return self._send("GET", url, None, overrides)

    def head(self, url: str, **overrides: Any) -> PageResponse:
        return self._send("HEAD", url, None, overrides)

    def post(self, url: str, form: Mapping[str, str | list[str]], **overrides: Any) -> PageResponse:
        return self._send("POST", url, urlencode(form, doseq=True), overrides)

    def _send(self, method: str, url: str, body: str | None, overrides: dict[str, Any]) -> PageResponse:
        parts = urlsplit(url)
        event = {
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "cookies": [f"{name}={value}" for (name, path), value in self.jar.items() if parts.path.startswith(path)],
            "headers": {"content-type": "application/x-www-form-urlencoded"} | overrides.get("headers", {}),
            "requestContext": {
                "domainName": "gateway.example",
                "stage": "$default",
                "http": {"method": method, "path": parts.path},
            },
            "body": base64.b64encode(body.encode()).decode() if body is not None else None,
            "isBase64Encoded": body is not None,
        } | overrides.get("event", {})
        module = load(_FUNCTIONS.get(parts.path.split("/")[1], "link"))
        module.site = self.site  # type: ignore[attr-defined]
        response = module.handler(event, Context())
        for cookie in response["cookies"]:
            self._store_cookie(cookie)
        return PageResponse(response["statusCode"], response["body"], response["headers"], response["cookies"])

    def _store_cookie(self, cookie: str) -> None:
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        path = next(attribute.removeprefix("Path=") for attribute in attributes if attribute.startswith("Path="))
        is_for_the_host = {"Path=/", "Secure"} <= set(attributes) and not re.search("; ?domain=", cookie, re.IGNORECASE)
        assert is_for_the_host or not name.startswith("__Host-"), f"browsers refuse {cookie}"
        assert "Secure" not in attributes or not self.site.public_url.startswith("http:"), f"sent over http: {cookie}"
        if "Max-Age=0" in attributes:
            self.jar.pop((name, path), None)
        else:
            self.jar[name, path] = value
