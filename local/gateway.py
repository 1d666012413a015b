"""A reverse proxy that serves the deployed HTTP API at `http://localhost:<port>`.

On AWS each API has its own host name. MiniStack tells APIs apart by the Host header, which a browser cannot set.
Everything else passes unchanged: path and query byte for byte, cookies, redirects.
"""

from __future__ import annotations

import argparse
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

# Headers of the connection, not of the message (RFC 9110, 7.6.1).
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# An HTTP API gives up on its function after 30 s.
TIMEOUT_SECONDS = 35


def gateway(aws_url: str, api_id: str) -> Starlette:
    client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, limits=httpx.Limits(max_connections=None))
    target = httpx.URL(aws_url)
    host = f"{api_id}.execute-api.localhost:{target.port}".encode()

    async def forward(request: Request) -> Response:
        try:
            answer = await client.send(await _to_upstream(request, target, host), stream=True)
        except httpx.TimeoutException:
            return PlainTextResponse("Local gateway: the API did not answer in time.\n", 504)
        except httpx.HTTPError as error:
            return PlainTextResponse(f"Local gateway: MiniStack cannot be reached ({type(error).__name__}).\n", 502)
        except ClientDisconnect:
            return Response(status_code=499)
        return _to_response(answer)

    return Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])


async def _to_upstream(request: Request, target: httpx.URL, host: bytes) -> httpx.Request:
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    headers = [
        (name, value) for name, value in request.headers.raw if name not in HOP_BY_HOP | {b"host", b"content-length"}
    ]
    headers += [(b"host", host), (b"x-forwarded-for", _client_address(request)), (b"x-forwarded-proto", b"http")]
    forwarded = httpx.Request(request.method, target, headers=headers, content=await request.body() or None)
    # Set afterwards: httpx would rewrite some escapes.
    forwarded.url = _ExactURL(target, path + (b"?" + query if query else b""))
    return forwarded


class _ExactURL(httpx.URL):
    def __init__(self, url: httpx.URL, raw_path: bytes) -> None:
        super().__init__(url)
        self._raw_path = raw_path

    @property
    def raw_path(self) -> bytes:
        return self._raw_path


def _client_address(request: Request) -> bytes:
    return (request.client.host if request.client else "127.0.0.1").encode()


def _to_response(answer: httpx.Response) -> Response:
    response = StreamingResponse(answer.aiter_raw(), status_code=answer.status_code)
    response.raw_headers = [
        (name.lower(), value) for name, value in answer.headers.raw if name.lower() not in HOP_BY_HOP
    ]
    response.background = BackgroundTask(answer.aclose)
    return response


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.gateway", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--aws-url", required=True)
    parser.add_argument("--api-id", required=True)
    arguments: Any = parser.parse_args()
    app = gateway(arguments.aws_url, arguments.api_id)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning", server_header=False, date_header=False)


if __name__ == "__main__":
    main()
