"""Shared by all Bank Feeds calls: whether the app may use the API, and how a body is read."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from local.simulator import exact_json
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.behaviour import Behaviour
from local.simulator.organisations import FEED_ROLES
from local.simulator.problems import Problem, problem, root
from local.simulator.state import Simulator

Endpoint = Callable[[Simulator, ApiCall], Answer]

BODY_BYTES_MAX = 3_000_000
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Refused(Exception):
    """The whole request is refused with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem["type"])
        self.problem = problem


def bank_feeds_call(endpoint: Endpoint) -> Endpoint:
    """An endpoint for apps with bank feeds. Raising `Refused` in it refuses the whole request."""

    @wraps(endpoint)
    def answer(sim: Simulator, call: ApiCall) -> Answer:
        try:
            if sim.behaviour.size_checked == "first":
                require_size(call)
            _require_application(sim)
            return endpoint(sim, call)
        except Refused as refused:
            return root(refused.problem)

    return answer


def _require_application(sim: Simulator) -> None:
    if sim.app.suspended:
        raise Refused(problem("suspended-or-terminated-application"))
    if not sim.app.bank_feeds_enabled:
        raise Refused(problem("invalid-application"))


def require_role(call: ApiCall) -> None:
    user = call.token.user if call.token else None
    if user is not None and call.org.role_of(user.user_id) not in FEED_ROLES:
        raise Refused(problem("invalid-user-role"))


def require_size(call: ApiCall) -> None:
    size = len(call.body)
    if size > BODY_BYTES_MAX:
        detail = f"Request size of {size} bytes exceeds the limit of {BODY_BYTES_MAX} bytes."
        raise Refused(problem("invalid-request", detail, title="Request too large", status=413))


def require_guid(sim: Simulator, id: str, field: str) -> None:
    """An id in a path. By default one that is no guid is merely unknown."""
    if sim.behaviour.malformed_id == 400 and sim.behaviour.ids == "guid" and not is_guid(id):
        raise Refused(invalid(field))


def read_items(call: ApiCall) -> list[dict[str, Any]]:
    """The body's items. The size is checked before anything in the body is read."""
    require_size(call)
    try:
        body = exact_json.read(call.body)
    except ValueError:
        raise Refused(problem("invalid-request", "The request body is not valid JSON.")) from None
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list) or not items:
        raise Refused(missing("Items"))
    if not all(isinstance(item, dict) for item in items):
        raise Refused(invalid("Items"))
    return items


def is_guid(value: Any) -> bool:
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def length(text: str, behaviour: Behaviour) -> int:
    return len(text) if behaviour.lengths == "characters" else len(text.encode("utf-16-le", "surrogatepass")) // 2


def too_long(field: str, maximum: int) -> Problem:
    detail = f"For the request field '{field}' exceeded the maximum length of {maximum}."
    return problem("invalid-request", detail)


def missing(field: str) -> Problem:
    return problem("invalid-request", f"For the request field '{field}' missing parameter.")


def invalid(field: str) -> Problem:
    return problem("invalid-request", f"For the request field '{field}' invalid value.")
