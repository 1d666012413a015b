"""The path of every API call: bearer, tenant, scope, rate limits, faults, idempotency, then the endpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall, read_call
from local.simulator.faults import Fault
from local.simulator.limits import Exceeded
from local.simulator.organisations import new_id
from local.simulator.problems import gateway, problem, root
from local.simulator.state import Simulator

Endpoint = Callable[[Simulator, ApiCall], Answer]
Handler = Callable[[Request], Awaitable[Response]]

LONG_LIMIT_NAMES = {
    "minute": "MinuteLimit",
    "day": "DayLimit",
    "concurrent": "ConcurrentLimit",
    "appminute": "AppMinuteLimit",
}


@dataclass(frozen=True)
class Access:
    """What a route requires: one of the scopes (none: any token), and a connected tenant."""

    any_scope: frozenset[str] = frozenset()
    tenant: bool = True
    statements: bool = False
    # A missing header is said before anything about the token.
    header_first: bool = False


def guarded(endpoint: Endpoint, access: Access) -> Handler:
    """An API route behind the whole gateway."""

    async def serve(request: Request) -> Response:
        sim: Simulator = request.app.state.simulator
        call = await read_call(request)
        headers = {"Xero-Correlation-Id": call.headers.get("xero-correlation-id") or new_id()}
        refusal = _refuse_access(sim, call, access)
        tenant_id = call.organisation.tenant_id if call.organisation else None
        if refusal is not None:
            return refusal.to_response(headers | sim.limits.headers(tenant_id, sim.now()))
        exceeded = sim.limits.enter(tenant_id, access.statements, sim.now())
        if exceeded is not None:
            answer = _rate_limited(sim, exceeded)
            return answer.to_response(headers | sim.limits.headers(tenant_id, sim.now()))
        limits = sim.limits  # a reset during the call replaces `sim.limits`
        try:
            if sim.timing.response_seconds:
                await asyncio.sleep(sim.timing.response_seconds)
            answer = await _act_under_faults(sim, request, call, endpoint)
        finally:
            limits.leave(tenant_id)
        return answer.to_response(headers | limits.headers(tenant_id, sim.now()))

    return serve


def unguarded(endpoint: Endpoint) -> Handler:
    """An identity route: it authenticates its caller itself and has no rate limits, but faults apply."""

    async def serve(request: Request) -> Response:
        sim: Simulator = request.app.state.simulator
        call = await read_call(request)
        return (await _act_under_faults(sim, request, call, endpoint)).to_response()

    return serve


async def _act_under_faults(sim: Simulator, request: Request, call: ApiCall, endpoint: Endpoint) -> Answer:
    fault = sim.faults.take(call)

    def act() -> Answer:
        return sim.idempotency.answer_once(call, sim.now(), lambda: _commit(sim, call, endpoint, fault))

    if fault is None or fault.kind in ("problem", "partial"):
        return act()
    answer = act() if fault.when == "after" else None
    match fault.kind:
        case "delay":
            await asyncio.sleep(fault.seconds or 0)
            return answer or act()
        case "dropResponse":
            request.scope["drop_response"] = True
            return answer or Answer(200)
        case _:
            return fault.answer(call)


def _commit(sim: Simulator, call: ApiCall, endpoint: Endpoint, fault: Fault | None) -> Answer:
    """Runs the endpoint. Problem faults pass the idempotency cache, which keeps them as Xero does."""
    if fault is not None and fault.kind == "partial":
        call.partly = "something" if fault.when == "after" else "nothing"
    if fault is None or fault.kind != "problem":
        return endpoint(sim, call)
    if fault.when == "after":
        endpoint(sim, call)
    return fault.answer(call)


def _refuse_access(sim: Simulator, call: ApiCall, access: Access) -> Answer | None:
    if access.header_first and not call.tenant_id:
        return root(problem("invalid-request", "Missing required header Xero-Tenant-Id."))
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    token = sim.access_tokens.get(value.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        return _unauthorized("TokenInvalid: the bearer token is missing or unknown")
    if token.ended or sim.now() >= token.expires_at:
        expired_at = min(token.expires_at, sim.now())
        return _unauthorized(f"TokenExpired: token expired at {expired_at:%m/%d/%Y %H:%M:%S}")
    call.token = token
    if access.tenant:
        organisation = sim.organisations.get(call.tenant_id or "")
        if organisation is None or not _is_connected(sim, call):
            return gateway(403, "AuthenticationUnsuccessful")
        call.organisation = organisation
    if access.any_scope and not access.any_scope & set(token.scopes):
        if sim.behaviour.missing_scope == 401:
            return _unauthorized("AuthorizationUnsuccessful", "insufficient_scope")
        return gateway(403, "AuthenticationUnsuccessful")
    return None


def _is_connected(sim: Simulator, call: ApiCall) -> bool:
    token = call.token
    if token is None or token.user is None:
        return False
    key = (token.client_id, token.user.user_id, call.tenant_id)
    return any(
        (connection.client_id, connection.user_id, connection.tenant_id) == key for connection in sim.live_connections()
    )


def _unauthorized(detail: str, error: str = "invalid_token") -> Answer:
    return gateway(401, detail, {"WWW-Authenticate": f"Bearer error={error}"})


def _rate_limited(sim: Simulator, exceeded: Exceeded) -> Answer:
    name = exceeded.limit if sim.behaviour.limit_names == "short" else LONG_LIMIT_NAMES[exceeded.limit]
    headers = {"X-Rate-Limit-Problem": name}
    if exceeded.retry_after is not None:
        headers["Retry-After"] = str(exceeded.retry_after)
    return gateway(429, "RateLimitExceeded", headers)
