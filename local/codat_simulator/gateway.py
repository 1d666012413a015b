"""The path of every API call: key, rate limits, faults, idempotency, then the endpoint."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from local.codat_simulator.errors import CodatError, refusal
from local.codat_simulator.events import emit_rate_limit
from local.codat_simulator.settling import settle
from local.codat_simulator.state import Codat
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall, read_call
from local.simulator.faults import Fault

Endpoint = Callable[[Codat, ApiCall], Answer]
Handler = Callable[[Request], Awaitable[Response]]


def guarded(endpoint: Endpoint) -> Handler:
    """An API route behind the whole gateway."""

    async def serve(request: Request) -> Response:
        sim: Codat = request.app.state.simulator
        sim.origin = str(request.base_url).rstrip("/")
        call = await read_call(request)
        if not _is_authorised(sim, call):
            return refusal(401).to_response(sim.limits.headers(sim.active_companies(), sim.now()))
        settle(sim)
        companies = sim.active_companies()
        limits = sim.limits  # a reset during the call replaces `sim.limits`
        exceeded = limits.enter(companies, sim.now())
        if exceeded is not None:
            if exceeded.limit == "day":
                emit_rate_limit(sim)
            headers = {"Retry-After": str(exceeded.retry_after), **limits.headers(companies, sim.now())}
            return refusal(429, headers=headers).to_response()
        try:
            if sim.timing.response_seconds:
                await asyncio.sleep(sim.timing.response_seconds)
            answer = await _act_once(sim, request, call, endpoint)
        finally:
            limits.leave()
        return answer.to_response(limits.headers(companies, sim.now()))

    return serve


async def _act_once(sim: Codat, request: Request, call: ApiCall, endpoint: Endpoint) -> Answer:
    guids_only = sim.behaviour.malformed_key == "400"
    kept = sim.idempotency.begin(call, sim.now(), guids_only=guids_only)
    if kept is not None:
        return kept
    cache = sim.idempotency
    # What the endpoint has answered, even if the caller never sees it.
    answers: list[Answer] = []

    def act() -> Answer:
        answers.append(_answer(sim, call, endpoint))
        return answers[0]

    try:
        return await _act_under_faults(sim, request, call, act, answers)
    finally:
        cache.end(call, answers[0] if answers else None)


async def _act_under_faults(
    sim: Codat, request: Request, call: ApiCall, act: Callable[[], Answer], answers: list[Answer]
) -> Answer:
    fault = sim.faults.take(call)
    if fault is None:
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
            # Codat keeps its own errors under the key of the call, also of one that it has taken.
            answers[:] = [_refused(fault, call)]
            return answers[0]


def _refused(fault: Fault, call: ApiCall) -> Answer:
    """The refusal of a fault: in Codat's envelope, or the ordered body as it is."""
    if fault.kind == "status":
        return refusal(fault.status or 500, headers=fault.headers)
    if fault.kind == "rateLimit":
        seconds = round(fault.seconds if fault.seconds is not None else 60)
        return refusal(429, headers={"Retry-After": str(seconds), **fault.headers})
    return fault.answer(call)


def _answer(sim: Codat, call: ApiCall, endpoint: Endpoint) -> Answer:
    try:
        return endpoint(sim, call)
    except CodatError as error:
        return error.answer()


def _is_authorised(sim: Codat, call: ApiCall) -> bool:
    """`Basic` and the key alone in base64, without a colon."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    try:
        key = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and any(known.key == key for known in sim.api_keys)
