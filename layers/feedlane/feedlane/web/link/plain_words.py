"""Why a mapping or a connection is blocked, in plain words for the customer. Unknown reasons keep Xero's words."""

from __future__ import annotations

from feedlane.companies.connection import ConnectionFault
from feedlane.errors import AppKeysRejected, Invalid, LimitReached, ReconnectionNeeded, Refused, Unavailable
from feedlane.holds.hold import Hold
from feedlane.web.sentences import try_again_in

_NOT_REACHED = "We cannot reach your accounting software at the moment. Please tell us."

# By the reason of a connection's fault, and by the type of Xero's problem.
_EXPLANATIONS = {
    "invalid-organisation-bank-feeds": "This Xero organisation cannot have bank feeds on its current plan.",
    "invalid-organisation-multi-currency": (
        "This account’s currency differs from your Xero organisation’s, and its plan does not include multi-currency."
    ),
    "invalid-application": "Xero has not yet enabled bank feeds for this app.",
    "invalid-application-for-feed-connections-2": "Xero has not yet enabled bank feeds for this app.",
    "missing-feed-connections-scope": "You have not allowed new accounts to be connected yet. Reconnect to Xero.",
    "account-name-already-exists": (
        "Xero already has an account with this name. Choose it, or rename it in Xero first."
    ),
    "missing-scope": "You have not given access to bank feeds yet. Reconnect to Xero and allow it there.",
    "account-not-valid": "Xero does not support bank feeds for this account. Choose another, or create a new one.",
    "feed-already-connected-in-current-organisation": (
        "This Xero account already has a feed. End it in Xero first: open the bank account, then Manage account, "
        "Deactivate feed."
    ),
    "invalid-user-role": "Your Xero user role cannot set up bank feeds. Ask an adviser or standard user to do it.",
    "connection-removed": "Your organisation was disconnected in Xero. Reconnect to continue.",
    "one-off-access-ended": "Your one-off access has ended. Reconnect to continue.",
    "authorisation-ended": "Xero no longer accepts your authorisation. Reconnect to continue.",
    "granted-to-another-app": "Your authorisation was for another app. Reconnect to continue.",
    "access-refused": "Xero does not give us access to your organisation. Reconnect, or ask your Xero adviser.",
    "about:blank": "Xero does not give us access to your organisation. Reconnect, or ask your Xero adviser.",
    "organisation-without-bank-feeds": "This Xero organisation cannot have bank feeds on its current plan.",
    "app-not-enabled": "Xero has not yet enabled bank feeds for this app.",
    "app-suspended": "Xero has suspended this app.",
    "codat-key-rejected": _NOT_REACHED,
    "codat-limit-reached": _NOT_REACHED,
    "codat-access-refused": _NOT_REACHED,
    "codat-not-found": "Your organisation is no longer connected. Reconnect to continue.",
    "user-role-too-low": "Your Xero user role cannot set up bank feeds. Ask an adviser or standard user to do it.",
}


# By the reason of a hold of a single feed: what the customer can do about it.
_ACCOUNT_EXPLANATIONS = {
    "missing-feed-connections-scope": "it needs more access. Reconnect to Xero to continue.",
    "feed-connection-gone": "its feed was ended in Xero. Connect the account again to continue.",
    "feed-connection-elsewhere": "its feed was ended in Xero. Connect the account again to continue.",
    "account-archived": "the Xero account is archived. Restore it in Xero (Chart of accounts, Archived), then tell us.",
    "account-deleted": "the Xero account was deleted. Disconnect the account here, then connect it to another one.",
}


def explain_hold(hold: Hold) -> str:
    """What the customer can do about a hold of a single feed; empty if nothing."""
    return _ACCOUNT_EXPLANATIONS.get(hold.reason, "")


def explain(error: ConnectionFault) -> str:
    """Why a connection is blocked."""
    return _EXPLANATIONS.get(error.reason, error.status_text)


def explain_error(error: Exception) -> str:
    """Why a request failed."""
    match error:
        case Refused(problem=problem) | ReconnectionNeeded(problem=problem):
            return _EXPLANATIONS.get(problem.type, f"Xero refused this: {problem.sentence}")
        case AppKeysRejected():
            return "Xero does not recognise this app at the moment. Please contact support."
        case Invalid(findings=[finding, *_]):
            return finding.message[:1].upper() + finding.message[1:]
        case Invalid(message=message):
            return message
        case LimitReached(retry_after=seconds):
            return f"Xero asks us to wait. {try_again_in(seconds)}"
        case Unavailable():
            return "Xero is not responding at the moment. Wait a minute, then try again."
        case _:
            return "Someone else has just changed this. Please try again."
