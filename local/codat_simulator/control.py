"""The control routes under `/_simulator/`: settings, actions and views, those of Xero's simulator among them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.codat_simulator import control_settings as settings
from local.codat_simulator import control_views as views
from local.codat_simulator.deliveries import deliver_due, post_webhook
from local.codat_simulator.settling import settle
from local.codat_simulator.state import Codat
from local.simulator import control_faults, control_views
from local.simulator import control_settings as xero
from local.simulator.answers import Answer
from local.simulator.control_routes import account_action, action, item_action, view


def routes() -> list[Route]:
    return [*_own_routes(), *_settings("timing", "limits", "link", "profile", "integration", "keys"), *_shared_routes()]


def _own_routes() -> list[Route]:
    return [
        Route("/_simulator/reset", action(_reset), methods=["POST"]),
        Route("/_simulator/orgs/{id}/throttle", item_action(settings.throttle), methods=["PUT"]),
        Route("/_simulator/outcomes", view(views.outcomes)),
        Route("/_simulator/outcomes", action(settings.add_outcome, status=201), methods=["POST"]),
        Route("/_simulator/outcomes", action(settings.clear_outcomes), methods=["DELETE"]),
        Route("/_simulator/faults", action(_clear_faults), methods=["DELETE"]),
        Route("/_simulator/connections", view(views.connections)),
        Route("/_simulator/connections/{id}", item_action(settings.change_connection), methods=["PUT"]),
        Route(
            "/_simulator/connections/{id}/feeds/{account:path}",
            account_action(settings.end_feed),
            methods=["DELETE"],
        ),
        Route("/_simulator/consumers", view(views.consumers)),
        Route("/_simulator/consumers/{id}", item_action(settings.change_consumer), methods=["PUT"]),
        Route("/_simulator/messages", view(views.messages)),
        Route("/_simulator/messages/{id}/replay", item_action(settings.replay_message), methods=["POST"]),
        Route("/_simulator/deliver", _deliver, methods=["POST"]),
        Route("/_simulator/operations", view(views.operations)),
        Route("/_simulator/ledgers", view(views.ledgers)),
    ]


def _settings(*names: str) -> list[Route]:
    """A view and a setter of the same name, for each."""
    pairs = [(f"/_simulator/{name}", getattr(views, name), getattr(settings, f"set_{name}")) for name in names]
    return [
        route
        for path, show, change in pairs
        for route in (Route(path, view(show)), Route(path, action(change), methods=["PUT"]))
    ]


def _shared_routes() -> list[Route]:
    return [
        Route("/_simulator/health", view(control_views.health)),
        Route("/_simulator/orgs", view(control_views.organisations)),
        Route("/_simulator/orgs", action(xero.add_organisation, status=201), methods=["POST"]),
        Route("/_simulator/orgs/{id}", item_action(xero.change_organisation), methods=["PUT"]),
        Route("/_simulator/orgs/{id}/accounts/{account}", account_action(xero.change_account), methods=["PUT"]),
        Route("/_simulator/orgs/{id}/accounts/{account}", account_action(xero.delete_account), methods=["DELETE"]),
        Route("/_simulator/behaviour", view(control_views.behaviour)),
        Route("/_simulator/behaviour", action(xero.set_behaviour), methods=["PUT"]),
        Route("/_simulator/behaviour/switches", view(control_views.behaviour_switches)),
        Route("/_simulator/clock", view(control_views.clock)),
        Route("/_simulator/clock", action(xero.advance_clock), methods=["POST"]),
        Route("/_simulator/faults", view(control_views.faults)),
        Route("/_simulator/faults", action(control_faults.add_fault, status=201), methods=["POST"]),
        Route("/_simulator/calls", view(control_views.calls)),
    ]


def _reset(sim: Codat, _body: Any) -> Any:
    sim.reset()
    return {"keys": views.keys(sim)["keys"], **views.organisations(sim)}


def _clear_faults(sim: Codat, _body: Any) -> Any:
    sim.faults.clear()
    return {"faults": []}


async def _deliver(request: Request) -> Response:
    """Settles and sends what is due now; answers how many webhooks were tried."""
    sim: Codat = request.app.state.simulator
    settle(sim)
    return Answer(200, {"attempts": await deliver_due(sim, post_webhook)}).to_response()
