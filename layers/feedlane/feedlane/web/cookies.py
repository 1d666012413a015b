"""The cookies we set: opaque, hidden from scripts, and never sent to another host.

Over https their names begin with `__Host-`. Browsers then refuse them unless they are `Secure`, for the whole host and
for no other, so that neither a neighbouring subdomain nor plain http can plant one. Since such a cookie has no path of
its own, its name says which connection, company or flow it belongs to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from feedlane.ids import fingerprint
from feedlane.web.request import Request

PORTAL = "feedlane_portal"
LANGUAGE = "feedlane_language"
_LINK, _FLOW = "feedlane_link", "feedlane_flow"
_CONNECTION_PASSWORD, _COMPANY_PASSWORD = "feedlane_pass", "feedlane_company_pass"
_HOST_PREFIX = "__Host-"
# Each page is sent all of them, and HTTP APIs take 10,240 bytes of headers. Browsers send the oldest first.
LINK_COOKIES_MAX = 30
_OURS = re.compile("feedlane_[a-z0-9_]+")


@dataclass(frozen=True)
class Cookie:
    """`name` is without the prefix that it has over https."""

    name: str
    value: str
    lifetime: timedelta

    def header(self, request: Request) -> str:
        """SameSite=Lax: Xero sends the browser back to us from another site with a redirect."""
        parts = [
            f"{full_name(self.name, request.is_secure)}={self.value}",
            "Path=/",
            f"Max-Age={int(self.lifetime.total_seconds())}",
            "HttpOnly",
            "SameSite=Lax",
        ]
        return "; ".join([*parts, "Secure"] if request.is_secure else parts)

    def expired(self) -> Cookie:
        """The same cookie with Max-Age 0: the browser removes it."""
        return Cookie(self.name, "", timedelta(0))


def full_name(name: str, is_secure: bool) -> str:
    """The name that the browser knows. Over http, as on localhost, browsers refuse the prefix."""
    return _HOST_PREFIX + name if is_secure else name


def value_in(request: Request, name: str) -> str:
    """The value of the cookie with this name, or nothing."""
    return request.cookies.get(full_name(name, request.is_secure), "")


def link_cookie_name(connection_id: str) -> str:
    """One session per connection, so that one browser can have several."""
    return _name_for(_LINK, connection_id)


def flow_cookie_name(state: str) -> str:
    """One cookie per flow, so that one browser can run several at once."""
    return _name_for(_FLOW, state)


def connection_password_name(connection_id: str) -> str:
    return _name_for(_CONNECTION_PASSWORD, connection_id)


def company_password_name(company_id: str) -> str:
    return _name_for(_COMPANY_PASSWORD, company_id)


def surplus_cookies(request: Request, added: tuple[Cookie, ...]) -> list[Cookie]:
    """Those of Link to remove, the oldest first, so that with the `added` ones no more than the maximum are left.

    Without the prefix, cookies are not ours over https: whoever plants them pushes out none of ours.
    """
    kept = {cookie.name for cookie in added} | {PORTAL}
    prefix = full_name("", request.is_secure)
    names = [name.removeprefix(prefix) for name in request.cookies if name.startswith(prefix)]
    others = [name for name in names if _OURS.fullmatch(name) and name not in kept]
    surplus = len(others) + len(added) - LINK_COOKIES_MAX
    return [Cookie(name, "", timedelta(0)) for name in others[: max(0, surplus)]] if added else []


def _name_for(kind: str, subject: str) -> str:
    return f"{kind}_{fingerprint(subject)[:12]}"
