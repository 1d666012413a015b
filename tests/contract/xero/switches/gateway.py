"""What Feedlane does about the gateway and accounting, at each position of their switches."""

from __future__ import annotations

from tests.contract.xero.switches import scenarios
from tests.contract.xero.switches.job import Did
from tests.contract.xero.switches.row import rows

ONE, TWO = Did(["t1"]), Did(["t1", "t2"])
KNOWN_ZONE = "Knows the zone by this name; days begin there."
EITHER_NAME = "Waits as long as Xero says, and for the right limit: of the organisation's minute, or of its day."

ROWS = [
    *rows(
        "missing_scope",
        scenarios.consent_without_bank_feeds,
        Did(["t1"], asked=["missing-scope"]),
        {
            403: "Compares the token's scopes, asks the customer to reconnect, and goes on after that consent.",
            401: "The same, and asks for no refresh.",
        },
    ),
    *rows("limit_names", scenarios.limit_reached, TWO, {"short": EITHER_NAME, "long": EITHER_NAME}),
    *rows(
        "time_zone_names",
        scenarios.pushed_at_midnight,
        ONE,
        {
            "windows": KNOWN_ZONE,
            "spaced": KNOWN_ZONE,
            "iana": KNOWN_ZONE,
            "absent": "Takes the zone where most people of the organisation's country live.",
        },
    ),
]
