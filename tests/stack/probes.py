"""What shows that a function needs a statement: something it does that fails without it.

A probe gets the running instance and returns if the function did its work, or raises. It must be repeatable, and must
not leave messages that fail again and again. `tests/stack/test_permissions.py` runs each with the whole policy and
without the one statement.
"""

from tests.stack import service_needs
from tests.stack.service_needs import Probe
from tests.stack.template import Need

PROBES: dict[Need, Probe] = {}


def probe_of(need: Need) -> Probe | None:
    return PROBES.get(need) or service_needs.probe(need)
