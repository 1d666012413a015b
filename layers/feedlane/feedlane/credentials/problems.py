"""Why a token set gives no access: problems that only the customer can resolve."""

from __future__ import annotations

from feedlane.problem import Problem


def _unauthorised_problem(type: str, title: str, detail: str) -> Problem:
    return Problem(type=type, title=title, status=401, detail=detail)


ONE_OFF_ENDED = _unauthorised_problem(
    "one-off-access-ended", "One-off access ended", "The customer gave access once, and it has ended."
)
NOT_GRANTED = _unauthorised_problem(
    "token-set-unknown", "Not authorised", "There is no authorisation of this customer any more."
)
GRANTED_TO_OTHER_APP = _unauthorised_problem(
    "granted-to-another-app",
    "Granted to another app",
    "The customer authorised another Xero app than the one whose keys are set.",
)
