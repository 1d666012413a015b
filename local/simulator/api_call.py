"""One HTTP request as the endpoints see it: plain data, with the caller and the organisation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from local.simulator.grants import AccessToken
from local.simulator.organisations import Organisation


@dataclass
class ApiCall:
    """The gateway sets `token` and `organisation` when it lets the call through."""

    method: str
    path: str
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    path_params: Mapping[str, str] = field(default_factory=dict)
    token: AccessToken | None = None
    organisation: Organisation | None = None
    # What a fault leaves of an item that is done in part: `something` or `nothing`; empty: it is done whole.
    partly: str = ""

    @property
    def tenant_id(self) -> str | None:
        value = self.headers.get("xero-tenant-id")
        return value.lower() if value else None

    @property
    def org(self) -> Organisation:
        assert self.organisation is not None, "the gateway sets the organisation of a tenant call"
        return self.organisation

    @property
    def client_id(self) -> str:
        assert self.token is not None, "the gateway sets the token of every API call"
        return self.token.client_id


async def read_call(request: Request) -> ApiCall:
    return ApiCall(
        method=request.method,
        path=request.url.path,
        body=await request.body(),
        query=request.query_params,
        headers=request.headers,
        path_params=request.path_params,
    )
