"""Injected faults: the next matching calls are delayed, refused, or get no answer."""

import itertools
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.client import responses
from typing import Any, Literal

from local.simulator import exact_json
from local.simulator.answers import PROBLEM, Answer
from local.simulator.api_call import ApiCall
from local.simulator.problems import Problem, gateway

Kind = Literal["problem", "status", "dropResponse", "delay", "rateLimit", "page", "partial"]
Content = Literal["html", "empty"]

# What stands before Xero's API: it blocks, or it cannot reach what is behind it.
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1>"
    "<p>You don't have permission to access this resource, or it is unavailable.</p>"
    "<p>Reference&#32;&#35;18.2f4d1402.1781524800.1a2b3c4d</p></body></html>\n"
)


@dataclass
class Fault:
    """`times` is None until the faults are cleared; `when` is the side of the commit on which the fault strikes."""

    id: int
    kind: Kind
    when: Literal["before", "after"]
    method: str | None = None
    path: str | None = None
    tenant_id: str | None = None
    status: int | None = None
    problem: Problem | None = None
    shape: Literal["root", "item"] = "root"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float | None = None
    limit: str = "minute"
    content: Content = "html"
    times: int | None = 1

    def matches(self, call: ApiCall) -> bool:
        if self.method is not None and self.method != call.method:
            return False
        if self.tenant_id is not None and self.tenant_id != call.tenant_id:
            return False
        return self.path is None or _path_matches(self.path.lower(), call.path.lower())

    def answer(self, call: ApiCall) -> Answer:
        """The refusal. Not for dropResponse and delay."""
        if self.kind == "page":
            return self._page()
        if self.kind == "rateLimit":
            return self._rate_limit_answer()
        if self.kind == "status":
            return _with_headers(gateway(self.status or 500, "InjectedFault"), self.headers)
        assert self.problem is not None, "a problem fault has a problem"
        if call.path.startswith("/connect/"):
            return Answer(self.status or 400, self.problem, headers=self.headers)
        status = self.status or int(self.problem.get("status", 400))
        body = self.problem if self.shape == "root" else _as_items(self.problem, call)
        return Answer(status, body, PROBLEM, self.headers)

    def _page(self) -> Answer:
        """An answer that is not Xero's, at any status."""
        status = self.status or 403
        if self.content == "empty":
            return Answer(status, None, headers=self.headers)
        page = PAGE.format(status=status, phrase=responses.get(status, "Error"))
        return Answer(status, page.encode(), "text/html", self.headers)

    def _rate_limit_answer(self) -> Answer:
        headers = {"X-Rate-Limit-Problem": self.limit}
        if self.limit != "concurrent":
            headers["Retry-After"] = str(round(self.seconds if self.seconds is not None else 60))
        return _with_headers(gateway(429, "RateLimitExceeded"), {**headers, **self.headers})


class Faults:
    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._ids = itertools.count(1)

    def next_id(self) -> int:
        return next(self._ids)

    def take(self, call: ApiCall) -> Fault | None:
        """The first fault of Xero's own that matches the call; counts it down."""
        return self._take(call, is_page=False)

    def take_page(self, call: ApiCall) -> Fault | None:
        """The same for what stands before Xero and answers in its place."""
        return self._take(call, is_page=True) if self.active else None

    def _take(self, call: ApiCall, *, is_page: bool) -> Fault | None:
        for fault in self.active:
            if (fault.kind == "page") is is_page and fault.matches(call):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self.active.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self.active.clear()


def _path_matches(pattern: str, path: str) -> bool:
    """A whole path, the end of one (`/Statements`), or a pattern with `*`."""
    if "*" in pattern:
        return fnmatchcase(path, pattern) or fnmatchcase(path, f"*{pattern}")
    return path == pattern or path.endswith(f"/{pattern.lstrip('/')}")


def _with_headers(answer: Answer, headers: dict[str, str]) -> Answer:
    return Answer(answer.status, answer.body, answer.media_type, {**answer.headers, **headers})


def _as_items(fault: Problem, call: ApiCall) -> dict[str, Any]:
    """The problem in the endpoint's item shape: `errors` for statements, `error` for feed connections."""
    try:
        items = exact_json.read(call.body)["items"]
    except (ValueError, KeyError, TypeError):
        items = [{}]
    if call.path.endswith("/Statements"):
        return {"items": [_item(item, "feedConnectionId") | {"errors": [fault]} for item in items]}
    return {"items": [_item(item, "accountToken") | {"error": fault} for item in items]}


def _item(received: Any, name: str) -> dict[str, Any]:
    identity = {name: received[name]} if isinstance(received, dict) and name in received else {}
    return {**identity, "status": "REJECTED"}
