"""What control routes are made of: views and actions, of the whole simulator, of one thing or of an account."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from local.simulator import exact_json
from local.simulator.answers import Answer
from local.simulator.control_fields import ControlError

# The first argument of each is the simulator of the application.
View = Callable[[Any], Any]
Action = Callable[[Any, Any], Any]
ItemAction = Callable[[Any, str, Any], Any]
AccountAction = Callable[[Any, str, str, Any], Any]


def view(show: View) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        return Answer(200, show(request.app.state.simulator)).to_response()

    return serve


def action(act: Action, status: int = 200) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        sim = request.app.state.simulator
        return await _answer(request, status, lambda body: act(sim, body))

    return serve


def item_action(act: ItemAction) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        sim = request.app.state.simulator
        return await _answer(request, 200, lambda body: act(sim, request.path_params["id"], body))

    return serve


def account_action(act: AccountAction) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        sim, ids = request.app.state.simulator, request.path_params
        return await _answer(request, 200, lambda body: act(sim, ids["id"], ids["account"], body))

    return serve


async def _answer(request: Request, status: int, act: Callable[[Any], Any]) -> Response:
    """What `act` makes of the body, or a 400 that names the wrong field."""
    try:
        return Answer(status, act(_read(await request.body()))).to_response()
    except ControlError as error:
        return Answer(error.status, {"error": str(error), "field": error.field}).to_response()


def _read(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return exact_json.read(body)
    except ValueError:
        raise ControlError("body", "must be JSON") from None
