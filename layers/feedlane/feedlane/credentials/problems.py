"""Why a token set gives no access: problems that only a new authorisation by the customer resolves."""

from __future__ import annotations

from feedlane.problem import Problem


def unauthorised_problem(type: str, title: str, detail: str) -> Problem:
    return Problem(type=type, title=title, status=401, detail=detail)


ONE_OFF_ENDED = unauthorised_problem(
    "one-off-access-ended", "One-off access ended", "The customer's one-off access has ended."
)
NOT_GRANTED = unauthorised_problem(
    "token-set-unknown", "Not authorised", "The customer's authorisation no longer exists."
)
# Xero's own word for it, which it gives for a wrong verifier too.
CODE_OF_ANOTHER_START = Problem(
    type="invalid_grant",
    title="Invalid grant",
    status=400,
    detail="The code belongs to another start of an authorisation.",
)
GRANT_LOST = unauthorised_problem(
    "grant-lost",
    "Authorisation lost",
    "The customer authorised the app, but what Xero gave in return could not be stored; the customer has to try again.",
)
GRANTED_TO_OTHER_APP = unauthorised_problem(
    "granted-to-another-app",
    "Granted to another app",
    "The customer authorised a different Xero app from the one whose keys are set.",
)
