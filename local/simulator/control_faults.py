"""Ordering faults and later rejections under `/_simulator/`."""

from typing import Any, get_args

from local.simulator import control_views as views
from local.simulator.control_fields import Fields
from local.simulator.faults import Fault, Kind
from local.simulator.state import LaterRejection, Simulator

FAULT_FIELDS = (
    "match",
    "fault",
    "status",
    "problem",
    "shape",
    "headers",
    "seconds",
    "limit",
    "times",
    "when",
)
LIMITS = ("minute", "day", "concurrent", "appminute")


def add_fault(sim: Simulator, body: Any) -> Any:
    asked = Fields(body, FAULT_FIELDS)
    match = Fields(asked.raw("match") or {}, ("method", "path", "tenantId"), "match.")
    kind: Kind = asked.one_of("fault", get_args(Kind))
    fault = Fault(
        id=sim.faults.next_id(),
        kind=kind,
        # A dropped answer is the one fault that is about what was already done.
        when=asked.one_of("when", ("before", "after"), "after" if kind == "dropResponse" else "before"),
        method=match.text("method").upper() if match.has("method") else None,
        path=match.text("path") if match.has("path") else None,
        tenant_id=match.text("tenantId").lower() if match.has("tenantId") else None,
        status=asked.whole("status", least=400) if kind == "status" or asked.has("status") else None,
        problem=asked.problem("problem") if kind == "problem" else None,
        shape=asked.one_of("shape", ("root", "item"), "root"),
        headers=asked.headers("headers"),
        seconds=asked.seconds("seconds") if kind == "delay" or asked.has("seconds") else None,
        limit=asked.one_of("limit", LIMITS, "minute"),
        times=_times(asked),
    )
    sim.faults.standing.append(fault)
    return next(one for one in views.faults(sim)["faults"] if one["id"] == fault.id)


def clear_faults(sim: Simulator, _body: Any) -> Any:
    """Orders for later rejections are faults too."""
    sim.faults.clear()
    sim.later_rejections.clear()
    return views.faults(sim)


def reject_later(sim: Simulator, body: Any) -> Any:
    """The next matching statements are accepted with 202 and end REJECTED with these errors."""
    asked = Fields(body, ("tenantId", "feedConnectionId", "errors", "times"))
    rejection = LaterRejection(
        errors=asked.problems("errors"),
        tenant_id=asked.text("tenantId").lower() if asked.has("tenantId") else None,
        feed_connection_id=asked.text("feedConnectionId").lower() if asked.has("feedConnectionId") else None,
        times=asked.whole("times", 1, least=1),
    )
    sim.later_rejections.append(rejection)
    return {"errors": rejection.errors, "times": rejection.times}


def _times(asked: Fields) -> int | None:
    """One by default; a null means until the faults are cleared."""
    if asked.names("times") and not asked.has("times"):
        return None
    return asked.whole("times", 1, least=1)
