"""The cookies we set: each opaque, unreadable for scripts, sent back only where it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from feedlane.ids import fingerprint
from feedlane.web.request import Request

LINK = "feedlane_link"
PORTAL = "feedlane_portal"
CALLBACK_PATH = "/oauth/callback"


@dataclass(frozen=True)
class Cookie:
    name: str
    value: str
    path: str
    lifetime: timedelta
    whole_path: bool = False
    """Whether the path starts at the host's root, and not at our base address."""

    def header(self, request: Request) -> str:
        """SameSite=Lax: Xero sends the browser back to us from another site, by following a link."""
        base = "" if self.whole_path else request.base_path
        parts = [
            f"{self.name}={self.value}",
            f"Path={base}{self.path}",
            f"Max-Age={int(self.lifetime.total_seconds())}",
            "HttpOnly",
            "SameSite=Lax",
        ]
        return "; ".join([*parts, "Secure"] if request.is_secure else parts)

    def ended(self) -> Cookie:
        return Cookie(self.name, "", self.path, timedelta(0))


def flow_cookie_name(state: str) -> str:
    """One cookie for each flow, so that several may be under way in one browser."""
    return f"feedlane_flow_{fingerprint(state)[:12]}"


def flow_cookie(state: str, value: str, lasts: timedelta, callback_path: str) -> Cookie:
    """Binds a state to the browser. `callback_path` is that of the redirect URI, whatever stands before ours in it."""
    return Cookie(flow_cookie_name(state), value, callback_path, lasts, whole_path=True)


def link_cookie(connection_path: str, value: str, lasts: timedelta) -> Cookie:
    """Its path is the connection's: a browser can have a session for each."""
    return Cookie(LINK, value, connection_path, lasts)


def portal_cookie(value: str, lasts: timedelta) -> Cookie:
    return Cookie(PORTAL, value, "/portal", lasts)
