"""Injecting faults and later rejections under `/_simulator/`."""

from typing import Any, get_args

from local.simulator import control_views as views
from local.simulator.control_fields import ControlError, Fields
from local.simulator.faults import Content, Fault, Kind
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
    "content",
    "times",
    "when",
)
LIMITS = ("minute", "day", "concurrent", "appminute")


def add_fault(sim: Simulator, body: Any) -> Any:
    fields = Fields(body, FAULT_FIELDS)
    match = Fields(fields.raw("match") or {}, ("method", "path", "tenantId"), "match.")
    kind: Kind = fields.one_of("fault", get_args(Kind))
    fault = Fault(
        id=sim.faults.next_id(),
        kind=kind,
        # Only a dropped answer strikes after the commit by default.
        when=fields.one_of("when", ("before", "after"), "after" if kind == "dropResponse" else "before"),
        method=match.text("method").upper() if match.has("method") else None,
        path=match.text("path") if match.has("path") else None,
        tenant_id=match.text("tenantId").lower() if match.has("tenantId") else None,
        status=_status(fields, kind),
        problem=fields.problem("problem") if kind == "problem" else None,
        shape=fields.one_of("shape", ("root", "item"), "root"),
        headers=fields.headers("headers"),
        seconds=fields.seconds("seconds") if kind == "delay" or fields.has("seconds") else None,
        limit=fields.one_of("limit", LIMITS, "minute"),
        content=fields.one_of("content", get_args(Content), "html"),
        times=_times(fields),
    )
    sim.faults.active.append(fault)
    return next(view for view in views.faults(sim)["faults"] if view["id"] == fault.id)


def clear_fault(sim: Simulator, fault_id: str, _body: Any) -> Any:
    remaining = [fault for fault in sim.faults.active if str(fault.id) != fault_id]
    if len(remaining) == len(sim.faults.active):
        raise ControlError("id", "no such fault", status=404)
    sim.faults.active[:] = remaining
    return views.faults(sim)


def clear_faults(sim: Simulator, _body: Any) -> Any:
    """Clears the later rejections, too."""
    sim.faults.clear()
    sim.later_rejections.clear()
    return views.faults(sim)


def reject_later(sim: Simulator, body: Any) -> Any:
    """Has the next matching statements accepted with 202 and later REJECTED with these errors."""
    fields = Fields(body, ("tenantId", "feedConnectionId", "errors", "times"))
    rejection = LaterRejection(
        errors=fields.problems("errors"),
        tenant_id=fields.text("tenantId").lower() if fields.has("tenantId") else None,
        feed_connection_id=fields.text("feedConnectionId").lower() if fields.has("feedConnectionId") else None,
        times=fields.whole("times", 1, minimum=1),
    )
    sim.later_rejections.append(rejection)
    return {"errors": rejection.errors, "times": rejection.times}


def _status(fields: Fields, kind: Kind) -> int | None:
    """Required of `status`; a page may have any, also that of a success."""
    required = kind in ("status", "page")
    return fields.whole("status", minimum=200 if kind == "page" else 400) if required or fields.has("status") else None


def _times(fields: Fields) -> int | None:
    """1 by default; null means until the faults are cleared."""
    if fields.mentions("times") and not fields.has("times"):
        return None
    return fields.whole("times", 1, minimum=1)
