"""Holds: why nothing may be sent, and their release. A Feedlane extension."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane import holding, releasing
from feedlane.codat.bodies import ReleaseBody, parsed
from feedlane.codat.feeds import hold_json
from feedlane.codat.push import push_operation_json

router = Routes()


@router.get("/holds")
def list_holds() -> Response[str]:
    store = parts.current.store
    return ok({"results": [hold_json(hold, holding.counted(store, hold)) for hold in store.holds()]})


@router.post("/holds/<hold_id>/release")
def release_hold(hold_id: str) -> Response[str]:
    """Answers the push operations that send the waiting lines. The body may name transactions to set aside."""
    current, body = parts.current, parsed(ReleaseBody, router.body or "{}")
    hold = releasing.find_hold(current.store, hold_id)
    operations = releasing.release(current.store, current.queues, current.clock(), current.new_id, hold, body.set_aside)
    return ok({"results": [push_operation_json(operation) for operation in operations]})
