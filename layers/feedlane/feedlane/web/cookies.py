"""The cookies we set: opaque, hidden from scripts, and sent back only to the paths that need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from feedlane.ids import fingerprint
from feedlane.web.request import Request

LINK = "feedlane_link"
PORTAL = "feedlane_portal"


@dataclass(frozen=True)
class Cookie:
    name: str
    value: str
    path: str
    lifetime: timedelta
    is_absolute_path: bool = False
    """Whether `path` starts at the host's root instead of at our base address."""

    def header(self, request: Request) -> str:
        """SameSite=Lax: Xero sends the browser back to us from another site with a redirect."""
        base = "" if self.is_absolute_path else request.base_path
        parts = [
            f"{self.name}={self.value}",
            f"Path={base}{self.path}",
            f"Max-Age={int(self.lifetime.total_seconds())}",
            "HttpOnly",
            "SameSite=Lax",
        ]
        return "; ".join([*parts, "Secure"] if request.is_secure else parts)

    def expired(self) -> Cookie:
        """The same cookie with Max-Age 0: the browser removes it."""
        return Cookie(self.name, "", self.path, timedelta(0))


def flow_cookie_name(state: str) -> str:
    """One cookie per flow, so that one browser can run several at once."""
    return f"feedlane_flow_{fingerprint(state)[:12]}"


def flow_cookie(state: str, value: str, lifetime: timedelta, callback_path: str) -> Cookie:
    """Binds a state to the browser. `callback_path` is the redirect URI's whole path, including a proxy's prefix."""
    return Cookie(flow_cookie_name(state), value, callback_path, lifetime, is_absolute_path=True)


def link_cookie(connection_path: str, value: str, lifetime: timedelta) -> Cookie:
    """Limited to the connection's path, so that a browser can have one session per connection."""
    return Cookie(LINK, value, connection_path, lifetime)


def portal_cookie(value: str, lifetime: timedelta) -> Cookie:
    return Cookie(PORTAL, value, "/portal", lifetime)
