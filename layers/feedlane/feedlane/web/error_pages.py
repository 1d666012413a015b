"""Pages for what went wrong: what happened, what to do next, and a way on where there is one."""

from __future__ import annotations

from feedlane.errors import FeedlaneError
from feedlane.link.linking import NotLinked, NotLinkedReason
from feedlane.link.state import ExpiredState, OtherBrowser, StateError, UsedState
from feedlane.settings.settings import Profile
from feedlane.web.link.redirects import RedirectResult, failed, not_supported
from feedlane.web.response import Response, page


class ErrorPage(FeedlaneError):
    """What a page says. `retry_url` is where to try again, `return_url` leads back to the platform."""

    def __init__(
        self,
        status: int,
        title: str,
        happened: str,
        next: str = "",
        *,
        retry_url: str = "",
        retry_label: str = "Try again",
        return_url: str = "",
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.happened = happened
        self.next = next
        self.retry_url = retry_url
        self.retry_label = retry_label
        self.return_url = return_url


class NoSuchPage(ErrorPage):
    def __init__(self) -> None:
        super().__init__(
            404,
            "This page does not exist",
            "The address may be incomplete, or what it led to has been removed.",
            "Open the link again from where you found it, or ask for a new one.",
        )


def error_page(profile: Profile, error: ErrorPage) -> Response:
    return page("error", error.status, logo_url=profile.logo_url, name=profile.name, error=error, title=error.title)


def state_error_page(error: StateError, start: str) -> ErrorPage:
    """`start` is where the authorisation of the state's connection begins, empty if it must not be offered."""
    match error:
        case UsedState():
            return ErrorPage(
                409,
                "This step is already done",
                "Xero’s answer was used before, perhaps because the page was loaded twice.",
                "Nothing was changed this time.",
                retry_url=start,
                retry_label="Continue",
            )
        case ExpiredState():
            return ErrorPage(
                410,
                "That took a little too long",
                "For your safety, a connection to Xero has to be finished within 10 minutes.",
                "Nothing was connected.",
                retry_url=start,
            )
        case OtherBrowser():
            return ErrorPage(
                403,
                "Please continue in the browser you started in",
                "This connection to Xero was started in another browser or device, or its cookies are blocked.",
                "Nothing was connected. Start again from the link you were given, and stay in one browser.",
            )
        case _:
            return ErrorPage(
                400,
                "We do not recognise this answer from Xero",
                "It does not belong to a connection that was started here, or that was long ago.",
                "Nothing was connected. Start again from the link you were given.",
            )


def bank_feeds_missing_page(platform: str, organisation: str) -> tuple[ErrorPage, RedirectResult]:
    """The page after a consent that left bank feeds out, and how the platform is told of it in its redirect."""
    error = ErrorPage(
        403,
        "Bank feeds were not allowed",
        f"{organisation} is connected, but without access to bank feeds: {platform} cannot send transactions to it.",
        "Connect again, and allow everything that Xero asks for.",
        retry_label="Connect again",
    )
    return error, failed("Bank feeds were not authorised")


def not_linked_page(error: NotLinked, platform: str) -> tuple[ErrorPage, RedirectResult]:
    """The page for a reason, and how the platform is told of it in its redirect."""
    status, title, happened, next, told = _NOT_LINKED[error.reason]
    facts = {"platform": platform, "detail": error.detail}
    outcome = not_supported(told) if status == 501 else failed(told)
    return ErrorPage(status, title, happened.format(**facts), next.format(**facts)), outcome


# Status, title, what happened, what to do next; and what the platform is told.
_NOT_LINKED = {
    NotLinkedReason.NOT_SET_UP: (
        501,
        "Xero is not available yet",
        "{platform} has not switched its Xero connection on yet.",
        "Please ask {platform} when it will be.",
        "The Xero integration is not enabled",
    ),
    NotLinkedReason.LIMIT: (
        402,
        "No more connections are free",
        "{platform} has connected as many Xero organisations as Xero allows it at the moment.",
        "Your organisation was not connected. Please tell {platform}: it can raise its limit at Xero, or free one.",
        "Connection limit reached",
    ),
    NotLinkedReason.CODE_DEAD: (
        400,
        "The authorisation has run out",
        "Xero did not accept the authorisation any more: it is good for a few minutes, and only once.",
        "Nothing was connected.",
        "The authorisation code was not accepted",
    ),
    NotLinkedReason.KEYS_REJECTED: (
        501,
        "Xero does not recognise this app",
        "Xero does not recognise the app that {platform} uses.",
        "This is not your fault. Please tell {platform}; it has to check its Xero keys.",
        "Xero rejected the app's keys",
    ),
    NotLinkedReason.NO_ORGANISATION: (
        403,
        "No organisation was selected",
        "You signed in to Xero, but no organisation was selected that can have bank feeds.",
        "Try again, and select the organisation whose bank accounts you want to feed.",
        "No organisation was authorised",
    ),
    NotLinkedReason.OTHER_ORGANISATION: (
        409,
        "That is a different organisation",
        "This connection belongs to another Xero organisation than the one you selected ({detail}).",
        "Nothing was changed. Try again and select the same organisation as before, or ask for a new connection.",
        "Another organisation than before",
    ),
    NotLinkedReason.TAKEN: (
        409,
        "This organisation is already connected",
        "{detail} is already connected to {platform} for another company.",
        "An organisation can be connected once. Disconnect it there first, or ask {platform} for help.",
        "Organisation already connected",
    ),
    NotLinkedReason.NO_ACCESS: (
        403,
        "Xero did not give access",
        "Xero did not let us read the organisation: {detail}",
        "Check with your Xero adviser that you may use this organisation, then try again.",
        "No access to the organisation",
    ),
}
