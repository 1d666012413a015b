"""What the Python clients' scripts share: the way to the simulator, its user's browser, and the list of points.

It runs in the clients' own environment, which has only what the clients need.
"""

import base64
import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

SIMULATOR = os.environ["SIMULATOR"]
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
IS_OTHER = os.environ["WORLD"] == "other"
REDIRECT = "https://app.example/callback"
SCOPES = ["offline_access", "openid", "profile", "email", "accounting.settings", "bankfeeds"]

BAKERY = "Harbour Bakery Ltd"
REGIONS: list[str] = json.loads(os.environ["REGIONS"])
CONNECTED = [BAKERY, "Northwind Joinery", "Ledger Practice", "Read Only Ltd", "Archive Ltd", *REGIONS]

Point = Callable[[Any], None]
points: list[Point] = []


def point(act: Point) -> Point:
    """Adds a point. Points run in the order in which they are written; their functions' names say what they prove."""
    points.append(act)
    return act


def divert() -> None:
    """Has connections to Xero's hosts end at the simulator. The clients' own code stays as it is."""
    send, urlopen = HTTPAdapter.send, urllib3.PoolManager.urlopen

    def diverted_send(self: HTTPAdapter, request: requests.PreparedRequest, *rest: Any, **named: Any) -> Any:
        request.url, host = _at_simulator(str(request.url))
        if host:
            request.headers["Host"] = host
        return send(self, request, *rest, **named)

    def diverted_urlopen(self: urllib3.PoolManager, method: str, url: str, *rest: Any, **named: Any) -> Any:
        return urlopen(self, method, _at_simulator(url)[0], *rest, **named)

    HTTPAdapter.send = diverted_send  # type: ignore[method-assign, assignment]
    urllib3.PoolManager.urlopen = diverted_urlopen  # type: ignore[method-assign, assignment]


def _at_simulator(url: str) -> tuple[str, str | None]:
    """The address at the simulator, and the host name that the request is meant for, where it matters."""
    parts, here = urlsplit(url), urlsplit(SIMULATOR)
    if not (parts.hostname or "").endswith(".xero.com"):
        return url, None
    host = f"login.localhost:{here.port}" if parts.hostname == "login.xero.com" else None
    return parts._replace(scheme=here.scheme, netloc=here.netloc).geturl(), host


def control(method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{SIMULATOR}/_simulator/{path}", json=body, timeout=20)
    answer.raise_for_status()
    return answer.json()


def organisations() -> dict[str, dict[str, Any]]:
    """The simulator's own view of them, by name."""
    return {one["name"]: one for one in control("GET", "orgs")["orgs"]}


def consent(url: str, *names: str) -> str:
    """The user consents for these organisations; the address to which the browser is sent back."""
    known = organisations()
    control("PUT", "consent", {"mode": "auto", "tenantIds": [known[name]["tenantId"] for name in names]})
    answer = requests.get(url, allow_redirects=False, timeout=20)
    assert answer.status_code == 302, f"{answer.status_code} {answer.text[:300]}"
    return answer.headers["Location"]


def claims(token: str) -> dict[str, Any]:
    content = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    return found


def equal(found: Any, wanted: Any) -> None:
    assert found == wanted, f"{found!r} instead of {wanted!r}"


@contextmanager
def raises(kind: type[Exception], status: int) -> Iterator[list[Any]]:
    """The error is this one and has this status. It is in the list afterwards."""
    seen: list[Any] = []
    try:
        yield seen
    except kind as error:
        response = getattr(error, "response", None)
        equal(getattr(error, "status", None) or getattr(response, "status_code", None), status)
        seen.append(error)
        return
    raise AssertionError(f"no {kind.__name__}")


def run(session: Any) -> None:
    """One line of JSON for each point."""
    for act in points:
        error = None
        try:
            act(session)
        except Exception as failure:
            where = traceback.extract_tb(failure.__traceback__)[-1]
            error = f"{type(failure).__name__}: {failure} ({os.path.basename(where.filename)}:{where.lineno})"
        print(json.dumps({"point": act.__name__.replace("_", " "), "error": error}), flush=True)
