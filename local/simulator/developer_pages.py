"""What each of the simulator's own pages shows: the views of the control routes, in portions."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from local.simulator import control_views as views
from local.simulator.control_fields import ControlError
from local.simulator.developer_faults import OFFERED, title_of
from local.simulator.developer_forms import ACCOUNT_ROWS, BANK_FEEDS_SCOPE
from local.simulator.organisations import PLANS
from local.simulator.problems import CATALOGUE
from local.simulator.state import USER_SCOPES, Simulator
from local.simulator.time_zones import COUNTRY_ZONES

PAGE_SIZE = 25
ENDING = 4
Facts = dict[str, Any]


def home(sim: Simulator, _request: Request) -> Facts:
    counts = {
        "organisations": len(sim.organisations),
        "connections": _connected(sim),
        "faults": len(sim.faults.active),
        "statements": len(sim.statements),
        "calls": len(sim.calls),
    }
    return {"here": "home", "app": views.app(sim), "counts": counts}


def app(sim: Simulator, _request: Request) -> Facts:
    shown = views.app(sim)
    endings = [secret[-ENDING:] for secret in shown.pop("clientSecrets")]
    scopes = sorted(USER_SCOPES - {BANK_FEEDS_SCOPE})
    strict = bool(sim.app.redirect_uris) or sim.behaviour.redirects == "registered"
    return {
        "here": "app", "app": shown, "endings": endings, "scopes": scopes, "strict": strict, "used": _connected(sim),
    }  # fmt: skip


def organisations(sim: Simulator, request: Request) -> Facts:
    shown, pages = _portion(views.organisations(sim)["orgs"], request)
    connected = {one.tenant_id for one in sim.live_connections()}
    feeds = views.feed_connections(sim)["feedConnections"]
    return {
        "here": "organisations",
        "organisations": shown,
        "pages": pages,
        "connected": connected,
        "feeds": feeds,
        "countries": list(COUNTRY_ZONES),
        "plans": PLANS,
        "rows": range(ACCOUNT_ROWS),
    }


def faults(sim: Simulator, _request: Request) -> Facts:
    active = [{**fault, "title": title_of(fault)} for fault in views.faults(sim)["faults"]]
    later = [
        {"tenantId": one.tenant_id, "times": one.times, "types": [error.get("type", "?") for error in one.errors]}
        for one in sim.later_rejections
    ]
    return {
        "here": "faults", "offered": OFFERED, "active": active, "later": later, "problems": list(CATALOGUE),
        "names": _names(sim),
    }  # fmt: skip


def behaviour(sim: Simulator, _request: Request) -> Facts:
    now = views.behaviour(sim)
    switches = [
        {
            **switch,
            "value": json.dumps(now[switch["name"]]),
            "choices": [(json.dumps(position), _spoken(position)) for position in switch["positions"]],
            "isNumber": isinstance(now[switch["name"]], float),
        }
        for switch in views.behaviour_switches(sim)["switches"]
    ]
    return {
        "here": "behaviour",
        "switches": switches,
        "timing": views.timing(sim),
        "consent": views.consent(sim),
        "clock": views.clock(sim),
        "names": _names(sim),
    }


def received(sim: Simulator, request: Request) -> Facts:
    """The newest first. Of one organisation, if its id is in the address."""
    tenant = request.query_params.get("tenant", "")
    statements = [one for one in views.statements(sim)["statements"] if tenant in ("", one["tenantId"])]
    shown, pages = _portion(statements[::-1], request)
    return {"here": "received", "statements": shown, "pages": pages, "names": _names(sim), "tenant": tenant}


def statement(sim: Simulator, request: Request) -> Facts:
    wanted = request.path_params["id"]
    for found in views.statements(sim)["statements"]:
        if found["id"] == wanted:
            return {"here": "received", "statement": found, "names": _names(sim)}
    raise ControlError("id", "No statement has this id", status=404)


def calls(sim: Simulator, request: Request) -> Facts:
    """The newest first."""
    shown, pages = _portion(views.calls(sim)["calls"][::-1], request)
    return {"here": "calls", "calls": shown, "pages": pages, "names": _names(sim)}


def _portion(items: list[Any], request: Request) -> tuple[list[Any], Facts]:
    """A page of the items, and where it is among them."""
    given = request.query_params.get("page", "1")
    last = max(1, -(-len(items) // PAGE_SIZE))
    number = min(max(int(given), 1), last) if given.isascii() and given.isdigit() and len(given) < 9 else 1
    start = (number - 1) * PAGE_SIZE
    shown = items[start : start + PAGE_SIZE]
    return shown, {"number": number, "last": last, "total": len(items), "from": start + 1, "to": start + len(shown)}


def _connected(sim: Simulator) -> int:
    """How many organisations count towards the limit."""
    return sum(not sim.organisations[tenant].demo for tenant in {one.tenant_id for one in sim.live_connections()})


def _names(sim: Simulator) -> dict[str, str]:
    return {organisation.tenant_id: organisation.name for organisation in sim.organisations.values()}


def _spoken(position: Any) -> str:
    if isinstance(position, bool):
        return "yes" if position else "no"
    return str(position)
