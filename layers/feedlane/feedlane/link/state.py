"""The state of an authorisation in progress: single-use, expiring, bound to one connection and one browser."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from feedlane.errors import FeedlaneError
from feedlane.link.choice import OrganisationChoice
from feedlane.record import Record

LINK_STATE_LIFETIME = timedelta(minutes=10)
# In Codat's Link, the customer also maps the accounts.
HOSTED_STATE_LIFETIME = timedelta(hours=1)
# Kept longer than it is valid, so that a late answer gets the reason.
LINK_STATE_RETENTION = timedelta(days=1)


class LinkState(Record):
    """Of the state and the browser's cookie, only fingerprints are stored.

    PKCE's verifier has to be sent and is therefore stored in clear until the state is used: it is useless without the
    code, which only the browser's answer brings. `password` is the fingerprint of the link's one-time password.
    """

    fingerprint: str
    browser: str
    company_id: str
    connection_id: str
    parameters: dict[str, str] = {}
    verifier: str = Field(default="", repr=False)
    password: str = ""
    redirect_uri: str = ""
    """The redirect URI that Xero was called with: it requires the same one with the code."""
    began: datetime | None = None
    """When it was started, if it lives longer than others."""
    expires: datetime
    used: bool = False
    """The consent has ended: it was committed together with its result."""
    code: str = ""
    """The fingerprint of the code whose consent has ended well: a repeat of its callback may continue."""
    choice: OrganisationChoice | None = None
    """What the customer had to choose from then."""

    @property
    def started(self) -> datetime:
        return self.began or self.expires - LINK_STATE_LIFETIME


class StateError(FeedlaneError):
    """The state is not valid for this answer. `state` is set where this browser may start again for its connection."""

    def __init__(self, message: str, state: LinkState | None = None) -> None:
        super().__init__(message)
        self.state = state


class UnknownState(StateError):
    """The state was never issued, or too long ago."""


class OtherBrowser(StateError):
    """Another browser started this flow: no details are given."""


class UsedState(StateError):
    """The answer has already been used."""


class ExpiredState(StateError):
    """The answer came too late."""


def require_valid_state(state: LinkState | None, browser: str | None, now: datetime) -> LinkState:
    """The state, if it is valid for this browser (the fingerprint of its cookie). Raises `StateError`."""
    if state is None:
        raise UnknownState("The state is unknown")
    if browser is None or browser != state.browser:
        raise OtherBrowser("The state belongs to another browser")
    if state.used:
        raise UsedState("The state has been used", state)
    if now >= state.expires:
        raise ExpiredState("The state has expired", state)
    return state
