"""Serves the handlers over HTTP: turns each request into an event of payload format 2.0, as the gateway does."""

from __future__ import annotations

import base64
import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.rights import acting_as

FUNCTIONS = Path(__file__).parents[2] / "functions"
CONTEXT = SimpleNamespace(
    function_name="link", memory_limit_in_mb=256, invoked_function_arn="arn:aws:lambda:local", aws_request_id="1"
)


def load(function: str, site: Any) -> ModuleType:
    """The function's own module, with its site replaced."""
    spec = importlib.util.spec_from_file_location(f"{function}_app", FUNCTIONS / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.site = site  # type: ignore[attr-defined]
    module.handler = acting_as(function)(module.handler)  # type: ignore[attr-defined]
    return module


def event_of(request: Request, body: bytes) -> dict[str, Any]:
    """The gateway passes cookies as a list, and a form in base64."""
    cookies = [cookie.strip() for cookie in request.headers.get("cookie", "").split(";") if cookie.strip()]
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    return {
        "version": "2.0",
        "rawPath": request.url.path,
        "rawQueryString": request.url.query,
        "cookies": cookies,
        "headers": headers,
        "requestContext": {
            "domainName": request.url.hostname,
            "stage": "$default",
            "http": {"method": request.method, "path": request.url.path},
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def gateway(site: Any) -> Starlette:
    functions = {name: load(name, site) for name in ("link", "oauth_callback", "portal")}

    def route(path: str, function: str) -> Route:
        async def endpoint(request: Request) -> Response:
            event = event_of(request, await request.body())
            result = await run_in_threadpool(functions[function].handler, event, CONTEXT)
            body = base64.b64decode(result["body"]) if result["isBase64Encoded"] else result["body"]
            response = Response(body, result["statusCode"], result["headers"])
            for cookie in result["cookies"]:
                response.headers.append("set-cookie", cookie)
            return response

        return Route(path, endpoint, methods=["GET", "POST"])

    async def platform_page(request: Request) -> Response:
        return Response(f"The platform: {request.url.query}", media_type="text/plain")

    return Starlette(
        routes=[
            route("/link/{rest:path}", "link"),
            route("/oauth/callback", "oauth_callback"),
            route("/", "portal"),
            route("/favicon.ico", "portal"),
            route("/portal", "portal"),
            route("/portal/{rest:path}", "portal"),
            Route("/platform/{rest:path}", platform_page),
        ]
    )


@contextmanager
def served(site: Any, port: int) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(gateway(site), "127.0.0.1", port, log_level="warning", access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the gateway did not start")
        thread.join(0.02)
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
