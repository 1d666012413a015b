"""The outermost layer: records calls, accepts /Connections, and drops or replaces answers when a fault asks for it."""

import time
from collections import deque
from datetime import datetime
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.simulator.api_call import ApiCall
from local.simulator.faults import Faults
from local.simulator.state import Call


class Recorded(Protocol):
    """What a simulator needs for its calls to be recorded."""

    faults: Faults
    calls: deque[Call]

    def now(self) -> datetime: ...


class CallLog:
    def __init__(self, app: ASGIApp, sim: Recorded) -> None:
        self._app = app
        self._sim = sim

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_for_people(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        tenant = headers.get("xero-tenant-id") or None
        call = Call(self._sim.now(), scope["method"], scope["path"], tenant)
        page = self._sim.faults.take_page(ApiCall(scope["method"], scope["path"], headers=headers))
        self._sim.calls.append(call)
        started = time.perf_counter()

        async def answer(message: Message) -> None:
            if scope.get("drop_response"):
                call.dropped = True
                return
            if message["type"] == "http.response.start":
                call.status = message["status"]
                call.duration_ms = round((time.perf_counter() - started) * 1000, 3)
            await send(message)

        if page is not None:
            if page.when == "after":
                await self._app(_with_connections_path(scope), receive, _nobody)
            await page.answer(ApiCall(scope["method"], scope["path"])).to_response()(scope, receive, answer)
            return
        await self._app(_with_connections_path(scope), receive, answer)
        if call.dropped:
            call.duration_ms = round((time.perf_counter() - started) * 1000, 3)
            await _hang_up(receive, send)


def _is_for_people(path: str) -> bool:
    """What controls the simulator, and what faults must not reach: its settings and its own pages."""
    return path in ("/", "/favicon.ico") or path.startswith(("/_simulator/", "/developer/"))


async def _nobody(_message: Message) -> None:
    """Whom an answer reaches that something before Xero replaces."""


def _with_connections_path(scope: Scope) -> Scope:
    """Xero's SDKs write /Connections and /connections; only this path ignores case."""
    first, _, remainder = scope["path"].lstrip("/").partition("/")
    if first.lower() != "connections":
        return scope
    scope["path"] = f"/connections/{remainder}" if remainder else "/connections"
    return scope


async def _hang_up(receive: Receive, send: Send) -> None:
    """Closes the connection without an answer. uvicorn's `send` is a method of the object with the transport."""
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the response was dropped")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
