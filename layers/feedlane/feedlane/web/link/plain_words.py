"""Why a mapping or a connection is blocked, in plain words for the customer. Unknown reasons keep Xero's words."""

from __future__ import annotations

from feedlane.companies.connection import ConnectionFault
from feedlane.errors import AppKeysRejected, Invalid, LimitReached, ReconnectionNeeded, Refused, Unavailable
from feedlane.holds.hold import Hold
from feedlane.texts import has_text, say
from feedlane.web.sentences import try_again_in


def explain_hold(hold: Hold) -> str:
    """What the customer can do about a hold of a single feed; empty if nothing."""
    return _known(f"account-reason.{hold.reason}")


def explain(error: ConnectionFault) -> str:
    """Why a connection is blocked."""
    return _known(f"reason.{error.reason}") or say("trouble.other-reason", words=error.status_text)


def explain_error(error: Exception) -> str:
    """Why a request failed."""
    match error:
        case Refused(problem=problem) | ReconnectionNeeded(problem=problem):
            return _known(f"reason.{problem.type}") or say("trouble.refused", words=problem.sentence)
        case AppKeysRejected():
            return say("trouble.keys-rejected")
        case Invalid(findings=[finding, *_]):
            return say("trouble.invalid", message=finding.message[:1].upper() + finding.message[1:])
        case Invalid(message=message):
            return say("trouble.invalid", message=message)
        case LimitReached(retry_after=seconds):
            return say("trouble.limit", when=try_again_in(seconds))
        case Unavailable():
            return say("trouble.away")
        case _:
            return say("trouble.changed")


def _known(key: str) -> str:
    return say(key) if has_text(key) else ""
