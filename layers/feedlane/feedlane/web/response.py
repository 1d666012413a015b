"""Responses to a browser: pages and redirects, with their security headers."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, field
from typing import Any

from feedlane.texts import language
from feedlane.web.cookies import Cookie, surplus_cookies
from feedlane.web.request import Request
from feedlane.web.templates import SCRIPT_HASH, STYLE_HASH, hash_of, render
from feedlane.web_address import origin_of

_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_YEAR_SECONDS = 31_536_000
# A shorter body fits into one packet in any case.
_COMPRESSED_FROM_BYTES = 1_000


@dataclass(frozen=True)
class Response:
    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: tuple[Cookie, ...] = ()

    def with_cookies(self, *cookies: Cookie) -> Response:
        return Response(self.status, self.body, self.headers, self.cookies + cookies)

    def with_status(self, status: int) -> Response:
        return Response(status, self.body, self.headers, self.cookies)

    def with_headers(self, headers: dict[str, str]) -> Response:
        return Response(self.status, self.body, self.headers | headers, self.cookies)

    def as_gateway_response(self, request: Request) -> dict[str, Any]:
        """The shape that the HTTP API expects."""
        headers = _SECURITY_HEADERS | self.headers
        if request.is_secure:
            headers["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
        surplus = surplus_cookies(request, self.cookies)
        body, is_encoded = "" if request.is_head else self.body, False
        if len(body) > _COMPRESSED_FROM_BYTES:
            headers["Vary"] = "Accept-Encoding"
            if request.accepts_gzip:
                headers["Content-Encoding"] = "gzip"
                body, is_encoded = _compressed(body), True
        return {
            "statusCode": self.status,
            "headers": headers,
            "cookies": [cookie.header(request) for cookie in (*self.cookies, *surplus)],
            "body": body,
            "isBase64Encoded": is_encoded,
        }


def _compressed(body: str) -> str:
    """With gzip, as bytes pass through the HTTP API: it compresses nothing itself."""
    return base64.b64encode(gzip.compress(body.encode(), 6, mtime=0)).decode()


def page(
    template: str, status: int = 200, *, logo_url: str = "", form_targets: str = "", brand: str = "", **context: Any
) -> Response:
    """`form_targets`: origins, besides our own, that a form on the page may submit or redirect to.

    `brand` is a style sheet of the platform's colours.
    """
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _content_security_policy(logo_url, form_targets, brand),
        "Content-Language": language(),
    }
    return Response(status, render(template, logo_url=logo_url, brand=brand, **context), headers)


def redirect(url: str, status: int = 302) -> Response:
    return Response(status, headers={"Location": url, "Content-Security-Policy": "default-src 'none'"})


def static(body: str, content_type: str) -> Response:
    """The same for everybody, so that a browser may keep it for a day."""
    headers = {"Content-Type": content_type, "Cache-Control": "public, max-age=86400"}
    return Response(200, body, headers | {"Content-Security-Policy": "default-src 'none'"})


def download(body: str, content_type: str, name: str) -> Response:
    """A file that the browser saves under this name, which has only letters, digits, dots and hyphens."""
    headers = {
        "Content-Type": f"{content_type}; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(200, body, headers | {"Content-Security-Policy": "default-src 'none'"})


def not_ahead() -> Response:
    """To a browser that loads a page ahead: it drops what is not a success, and asks again when the page is opened.

    A page that changed nothing would be of no use then: a start without a state leads to nothing.
    """
    return Response(403, headers={"Content-Security-Policy": "default-src 'none'"})


def see_other(url: str) -> Response:
    """After a form: the browser loads the next page, and reloading it does not send the form again."""
    return redirect(url, 303)


def _content_security_policy(logo_url: str, form_targets: str, brand: str) -> str:
    images = origin_of(logo_url) or "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {STYLE_HASH} {hash_of(brand)}" if brand else f"style-src {STYLE_HASH}",
            f"script-src {SCRIPT_HASH}",
            "connect-src 'self'",
            f"img-src {images}",
            f"form-action 'self' {form_targets}".strip(),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
