"""The control routes under `/_simulator/`: settings, actions and views of the state."""

from typing import Any

from starlette.routing import Route

from local.simulator import control_faults, control_settings, control_views
from local.simulator.control_routes import account_action, action, item_action, view
from local.simulator.state import Simulator


def routes() -> list[Route]:
    settings, faults, views = control_settings, control_faults, control_views
    return [
        Route("/_simulator/health", view(views.health)),
        Route("/_simulator/reset", action(_reset), methods=["POST"]),
        Route("/_simulator/orgs", view(views.organisations)),
        Route("/_simulator/orgs", action(settings.add_organisation, status=201), methods=["POST"]),
        Route("/_simulator/orgs/{id}", item_action(settings.change_organisation), methods=["PUT"]),
        Route("/_simulator/orgs/{id}/accounts/{account}", account_action(settings.change_account), methods=["PUT"]),
        Route("/_simulator/orgs/{id}/accounts/{account}", account_action(settings.delete_account), methods=["DELETE"]),
        Route("/_simulator/consent", view(views.consent)),
        Route("/_simulator/consent", action(settings.set_consent), methods=["PUT"]),
        Route("/_simulator/app", view(views.app)),
        Route("/_simulator/app", action(settings.set_app), methods=["PUT"]),
        Route("/_simulator/timing", view(views.timing)),
        Route("/_simulator/timing", action(settings.set_timing), methods=["PUT"]),
        Route("/_simulator/limits", view(views.limits)),
        Route("/_simulator/limits", action(settings.set_limits), methods=["PUT"]),
        Route("/_simulator/behaviour", view(views.behaviour)),
        Route("/_simulator/behaviour", action(settings.set_behaviour), methods=["PUT"]),
        Route("/_simulator/behaviour/switches", view(views.behaviour_switches)),
        Route("/_simulator/clock", view(views.clock)),
        Route("/_simulator/clock", action(settings.advance_clock), methods=["POST"]),
        Route("/_simulator/faults", view(views.faults)),
        Route("/_simulator/faults", action(faults.add_fault, status=201), methods=["POST"]),
        Route("/_simulator/faults", action(faults.clear_faults), methods=["DELETE"]),
        Route("/_simulator/faults/{id}", item_action(faults.clear_fault), methods=["DELETE"]),
        Route("/_simulator/reject", action(faults.reject_later, status=201), methods=["POST"]),
        Route("/_simulator/statements", view(views.statements)),
        Route("/_simulator/ledgers", view(views.ledgers)),
        Route("/_simulator/calls", view(views.calls)),
        Route("/_simulator/connections", view(views.connections)),
        Route("/_simulator/connections/{id}", item_action(settings.remove_connection), methods=["DELETE"]),
        Route("/_simulator/feedConnections", view(views.feed_connections)),
        Route(
            "/_simulator/feedConnections/{id}",
            item_action(settings.remove_feed_connection),
            methods=["DELETE"],
        ),
    ]


def _reset(sim: Simulator, _body: Any) -> Any:
    sim.reset()
    return _fresh_state(sim)


def _fresh_state(sim: Simulator) -> Any:
    return {"app": control_views.app(sim), **control_views.organisations(sim)}
