"""What stopped a mapping, in words for the customer. What is not known is told in Xero's own."""

from __future__ import annotations

from feedlane.companies.connection import ConnectionFault
from feedlane.errors import AppKeysRejected, Invalid, ReconnectionNeeded, Refused, Unavailable

# By what a connection calls its reason, and by Xero's own types.
_EXPLANATIONS = {
    "invalid-organisation-bank-feeds": "This Xero organisation cannot have bank feeds on its current plan.",
    "invalid-organisation-multi-currency": (
        "This account has another currency than your Xero organisation, and multi-currency is not part of its plan."
    ),
    "invalid-application": "Xero has not yet enabled bank feeds for this app.",
    "missing-scope": "You have not given access to bank feeds yet. Reconnect to Xero, and allow it there.",
    "account-not-valid": "Xero cannot feed this account. Choose another one, or create a new one.",
    "invalid-user-role": "Your Xero user may not set up bank feeds. Ask an adviser or standard user to do it.",
    "connection-removed": "Your Xero organisation was disconnected in Xero. Reconnect to go on.",
    "one-off-access-ended": "You gave access once, and it has ended. Reconnect to go on.",
    "authorisation-ended": "Xero no longer accepts your authorisation. Reconnect to go on.",
    "granted-to-another-app": "Your authorisation was for another app. Reconnect to go on.",
    "access-refused": "Xero does not let us into your organisation. Reconnect, or ask your Xero adviser.",
    "about:blank": "Xero does not let us into your organisation. Reconnect, or ask your Xero adviser.",
    "organisation-without-bank-feeds": "This Xero organisation cannot have bank feeds on its current plan.",
    "app-not-enabled": "Xero has not yet enabled bank feeds for this app.",
    "app-suspended": "Xero has suspended this app.",
    "user-role-too-low": "Your Xero user may not set up bank feeds. Ask an adviser or standard user to do it.",
}


def explain(error: ConnectionFault) -> str:
    """What stops a connection, for its customer."""
    return _EXPLANATIONS.get(error.reason, error.status_text)


def explain_error(error: Exception) -> str:
    match error:
        case Refused(problem=problem) | ReconnectionNeeded(problem=problem):
            return _EXPLANATIONS.get(problem.type, f"Xero refused this: {problem.sentence}")
        case AppKeysRejected():
            return "Xero does not recognise this app at the moment. Please let support know."
        case Invalid(findings=[finding, *_]):
            return finding.message[:1].upper() + finding.message[1:]
        case Invalid(message=message):
            return message
        case Unavailable():
            return "Xero is not answering at the moment. Wait a minute, then try again."
        case _:
            return "Somebody else changed this at the same moment. Please try again."
