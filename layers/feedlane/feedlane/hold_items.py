"""How holds are kept: what other commits may demand of a hold."""

from __future__ import annotations

from feedlane.hold import Hold
from feedlane.store import keys
from feedlane.store.table import Add, When


def still_standing(hold: Hold) -> Add:
    """The condition that the hold is still there, and that its release has not begun, for a commit on its account.

    Counted, so that no release passes at the same moment that has not seen what the commit did.
    """
    return Add(keys.hold(hold.scope, hold.subject), "noticed", 1, when=When(equal={"id": hold.id, "releasing": False}))
