"""The control routes under `/_simulator/`: settings, actions and views of the state."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.simulator import control_faults, control_settings, control_views, exact_json
from local.simulator.answers import Answer
from local.simulator.control_fields import ControlError
from local.simulator.state import Simulator

View = Callable[[Simulator], Any]
Action = Callable[[Simulator, Any], Any]
ItemAction = Callable[[Simulator, str, Any], Any]
AccountAction = Callable[[Simulator, str, str, Any], Any]


def routes() -> list[Route]:
    settings, faults, views = control_settings, control_faults, control_views
    return [
        Route("/_simulator/health", _view(views.health)),
        Route("/_simulator/reset", _action(_reset), methods=["POST"]),
        Route("/_simulator/orgs", _view(views.organisations)),
        Route("/_simulator/orgs", _action(settings.add_organisation, status=201), methods=["POST"]),
        Route("/_simulator/orgs/{id}", _item_action(settings.change_organisation), methods=["PUT"]),
        Route("/_simulator/orgs/{id}/accounts/{account}", _account_action(settings.change_account), methods=["PUT"]),
        Route("/_simulator/orgs/{id}/accounts/{account}", _account_action(settings.delete_account), methods=["DELETE"]),
        Route("/_simulator/consent", _view(views.consent)),
        Route("/_simulator/consent", _action(settings.set_consent), methods=["PUT"]),
        Route("/_simulator/app", _view(views.app)),
        Route("/_simulator/app", _action(settings.set_app), methods=["PUT"]),
        Route("/_simulator/timing", _view(views.timing)),
        Route("/_simulator/timing", _action(settings.set_timing), methods=["PUT"]),
        Route("/_simulator/limits", _view(views.limits)),
        Route("/_simulator/limits", _action(settings.set_limits), methods=["PUT"]),
        Route("/_simulator/behaviour", _view(views.behaviour)),
        Route("/_simulator/behaviour", _action(settings.set_behaviour), methods=["PUT"]),
        Route("/_simulator/behaviour/switches", _view(views.behaviour_switches)),
        Route("/_simulator/clock", _view(views.clock)),
        Route("/_simulator/clock", _action(settings.advance_clock), methods=["POST"]),
        Route("/_simulator/faults", _view(views.faults)),
        Route("/_simulator/faults", _action(faults.add_fault, status=201), methods=["POST"]),
        Route("/_simulator/faults", _action(faults.clear_faults), methods=["DELETE"]),
        Route("/_simulator/reject", _action(faults.reject_later, status=201), methods=["POST"]),
        Route("/_simulator/statements", _view(views.statements)),
        Route("/_simulator/ledgers", _view(views.ledgers)),
        Route("/_simulator/calls", _view(views.calls)),
        Route("/_simulator/connections", _view(views.connections)),
        Route("/_simulator/connections/{id}", _item_action(settings.remove_connection), methods=["DELETE"]),
        Route("/_simulator/feedConnections", _view(views.feed_connections)),
        Route(
            "/_simulator/feedConnections/{id}",
            _item_action(settings.remove_feed_connection),
            methods=["DELETE"],
        ),
    ]


def _reset(sim: Simulator, _body: Any) -> Any:
    sim.reset()
    return _fresh_state(sim)


def _fresh_state(sim: Simulator) -> Any:
    return {"app": control_views.app(sim), **control_views.organisations(sim)}


def _view(view: View) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        return Answer(200, view(request.app.state.simulator)).to_response()

    return serve


def _action(action: Action, status: int = 200) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        sim = request.app.state.simulator
        return await _answer(request, status, lambda body: action(sim, body))

    return serve


def _item_action(action: ItemAction) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        sim = request.app.state.simulator
        return await _answer(request, 200, lambda body: action(sim, request.path_params["id"], body))

    return serve


def _account_action(action: AccountAction) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        sim, ids = request.app.state.simulator, request.path_params
        return await _answer(request, 200, lambda body: action(sim, ids["id"], ids["account"], body))

    return serve


async def _answer(request: Request, status: int, act: Callable[[Any], Any]) -> Response:
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
