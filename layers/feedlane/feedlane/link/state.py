"""The state of an authorisation under way: single-use, expiring, bound to one connection and one browser."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from feedlane.errors import FeedlaneError
from feedlane.record import Record

LINK_STATE_LIFETIME = timedelta(minutes=10)
# Kept longer than it lives, so that a late answer is told that it is late.
LINK_STATE_RETENTION = timedelta(days=1)


class LinkState(Record):
    """Neither the state nor the browser's cookie is kept, only their fingerprints.

    PKCE's verifier has to be sent and so is kept as it is, until the state is used: without the code, which only the
    browser's answer brings, it is good for nothing. `password` is the fingerprint of the link's one-time password.
    """

    fingerprint: str
    browser: str
    company_id: str
    connection_id: str
    parameters: dict[str, str] = {}
    verifier: str = Field(default="", repr=False)
    password: str = ""
    redirect_uri: str = ""
    """What Xero was sent with: it wants the same again with the code."""
    expires: datetime
    used: bool = False
    reported: bool = False
    """That it was never answered."""


class StateError(FeedlaneError):
    """The state does not allow what came with it. `state` is set where this browser may go on with its connection."""

    def __init__(self, message: str, state: LinkState | None = None) -> None:
        super().__init__(message)
        self.state = state


class UnknownState(StateError):
    """No such state was given out, or it was long ago."""


class OtherBrowser(StateError):
    """The state belongs to a flow that this browser did not start: nothing more is said of it."""


class UsedState(StateError):
    """The answer came a second time."""


class ExpiredState(StateError):
    """The answer came too late."""


def require_valid_state(state: LinkState | None, browser: str | None, now: datetime) -> LinkState:
    """The state if it is good for this browser (the fingerprint of its cookie). Raises `StateError`."""
    if state is None:
        raise UnknownState("The state is not known")
    if browser is None or browser != state.browser:
        raise OtherBrowser("The state was given to another browser")
    if state.used:
        raise UsedState("The state has been used", state)
    if now >= state.expires:
        raise ExpiredState("The state has expired", state)
    return state
