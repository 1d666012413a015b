"""What went wrong with an action that reaches Xero, in a sentence on the action's own page."""

from __future__ import annotations

from feedlane.errors import AppKeysRejected, Conflict, FeedlaneError, Invalid, LimitReached, NotFound, Unavailable
from feedlane.store.table import ConditionFailed
from feedlane.web.form_errors import FormError, whole_form
from feedlane.web.sentences import try_again_in

_CHANGED = "Others are changing the same things at this moment. Please try again."
_UNREACHABLE = "did not answer, so this is not done yet. Try again in a minute: it goes on where it stopped."
_NO_KEYS = "does not accept your keys, so this is not done. Check them in Settings."


def troubles(error: FeedlaneError | ConditionFailed, place: str = "Xero") -> tuple[list[FormError], int]:
    """What to say, and the status of the answer. `place` is whom the action reaches, Xero or Codat.

    Raises the error itself if there is no such thing any more.
    """
    match error:
        case NotFound():
            raise error
        case Invalid(message=message):
            sentence, status = f"{message.rpartition(': ')[2].rstrip('.')}.", 422
        case Conflict():
            sentence, status = f"{str(error).rstrip('.')}.", 409
        case LimitReached(retry_after=seconds):
            sentence, status = f"{place} asks us to wait. {try_again_in(seconds)}", 503
        case Unavailable():
            sentence, status = f"{place} {_UNREACHABLE}", 503
        case AppKeysRejected():
            sentence, status = f"{place} {_NO_KEYS}", 409
        case ConditionFailed():
            sentence, status = _CHANGED, 409
        case _:
            sentence, status = f"{str(error).rstrip('.')}.", 409
    return whole_form(sentence[:1].upper() + sentence[1:]), status
