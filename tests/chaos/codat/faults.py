"""The faults of schedules through Codat, by their probability. Those of AWS and of platforms are as for Xero."""

from __future__ import annotations

from tests.chaos.faults import ACTIONS, AWS, PAGES, crashes, outages
from tests.chaos.outages import CODAT, SERVICES_WITH_CODAT

CODATS = {
    "codat_unreachable": 0.02,
    "codat_request_lost": 0.02,
    "codat_answer_lost": 0.04,
    "codat_429_minute": 0.02,
    "codat_429_day": 0.008,
    "codat_429_silent": 0.01,
    "codat_500": 0.02,
    "codat_500_after_work": 0.03,
    "codat_503": 0.02,
    "codat_409": 0.01,
    "codat_401": 0.004,
    "codat_4xx": 0.01,
    "codat_page_2xx": 0.02,
    "codat_page_401_403": 0.01,
    "codat_page_4xx": 0.02,
    "codat_page_429": 0.005,
    "codat_page_5xx": 0.02,
    "codat_key_forgotten": 0.1,
}
PAGES_OF_CODAT = {kind.replace("xero", "codat"): statuses for kind, statuses in PAGES.items()}
# Causes that last until they are fixed, and how push operations end: per push.
CAUSES = {
    "xero_403_invalid-organisation-bank-feeds": 0.03,
    "xero_403_invalid-application": 0.01,
    "xero_403_invalid-user-role": 0.02,
    "xero_403_invalid-organisation-multi-currency": 0.02,
    "xero_422_account-not-valid": 0.02,
    "codat_key_withdrawn": 0.01,
    "codat_402_plan": 0.01,
    "codat_403_product": 0.02,
    "codat_deauthorised": 0.02,
    "codat_unlinked": 0.01,
    "codat_feed_ended": 0.03,
    "line_never_taken": 0.02,
    "push_failed": 0.03,
    "push_timed_out": 0.02,
    "push_never_ends": 0.005,
    "xero_throttles": 0.04,
}
WEBHOOKS = {
    "webhook_lost": 0.15,
    "webhook_late": 0.15,
    "webhook_doubled": 0.15,
    "webhook_untrue": 0.08,
    "webhook_forged": 0.05,
}
# Codat tells no time zone and rejects no mapping later, and it has the customers' tokens.
_NOT_THROUGH_CODAT = ("zone_moved", "mapping_rejected", "token_revoked")
_ACTIONS = {kind: rate for kind, rate in ACTIONS.items() if kind not in _NOT_THROUGH_CODAT}
RATES = crashes(CODAT) | AWS | CODATS | CAUSES | WEBHOOKS | _ACTIONS | outages(SERVICES_WITH_CODAT)
