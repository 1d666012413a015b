"""Error pages: what happened, what to do next, and a link to continue where there is one."""

from __future__ import annotations

from feedlane.errors import FeedlaneError
from feedlane.link.linking import NotLinked, NotLinkedReason
from feedlane.link.state import ExpiredState, OtherBrowser, StateError, UsedState
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from feedlane.web.link.redirects import RedirectResult, failed, not_supported
from feedlane.web.response import Response, page
from feedlane.web.site import Site


class ErrorPage(FeedlaneError):
    """What an error page says. `retry_url` is where to try again, `return_url` leads back to the platform."""

    def __init__(
        self,
        status: int,
        title: str,
        explanation: str,
        next_step: str = "",
        *,
        retry_url: str = "",
        retry_label: str = "Try again",
        return_url: str = "",
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.explanation = explanation
        self.next_step = next_step
        self.retry_url = retry_url
        self.retry_label = retry_label
        self.return_url = return_url


class NoSuchPage(ErrorPage):
    def __init__(self) -> None:
        super().__init__(
            404,
            "This page does not exist",
            "The address may be incomplete, or the page may have been removed.",
            "Open the link again from where you found it, or ask for a new one.",
        )


def profile_of(site: Site) -> Profile:
    """Without the platform's name if it cannot be read: the page says what happened all the same."""
    try:
        return settings_items.profile(site.store)
    except Exception:
        return Profile()


def error_page(profile: Profile, error: ErrorPage) -> Response:
    return page("error", error.status, logo_url=profile.logo_url, name=profile.name, error=error, title=error.title)


def state_error_page(error: StateError, start_url: str) -> ErrorPage:
    """`start_url` is where to authorise the connection of the state again; empty if the page must not offer that."""
    match error:
        case UsedState():
            return ErrorPage(
                409,
                "This step is already done",
                "Xero’s response has already been used, perhaps because the page was loaded twice.",
                "Nothing has changed.",
                retry_url=start_url,
                retry_label="Continue",
            )
        case ExpiredState():
            return ErrorPage(
                410,
                "That took a little too long",
                "For your security, you have 10 minutes to finish connecting to Xero.",
                "Nothing was connected.",
                retry_url=start_url,
            )
        case OtherBrowser():
            return ErrorPage(
                403,
                "Please continue in the browser you started in",
                "This connection was started in another browser or on another device, or cookies are blocked.",
                "Nothing was connected. Start again from the link you were given, and stay in the same browser.",
            )
        case _:
            return ErrorPage(
                400,
                "We do not recognise this response from Xero",
                "It does not match any connection started here, or that connection was started too long ago.",
                "Nothing was connected. Start again from the link you were given.",
            )


def bank_feeds_missing_page(platform: str, organisation: str) -> tuple[ErrorPage, RedirectResult]:
    """The page after a consent without bank feeds, and the result that the redirect reports to the platform."""
    error = ErrorPage(
        403,
        "Bank feeds were not allowed",
        f"{organisation} is connected, but without access to bank feeds: {platform} cannot send transactions to it.",
        "Connect again and grant all the access that Xero asks for.",
        retry_label="Connect again",
    )
    return error, failed("Bank feeds were not authorised")


def not_linked_page(error: NotLinked, platform: str) -> tuple[ErrorPage, RedirectResult]:
    """The page for why linking failed, and the result that the redirect reports to the platform."""
    status, title, explanation, next_step, status_text = _NOT_LINKED[error.reason]
    facts = {"platform": platform, "detail": error.detail, "former": _belongs_to(error)}
    outcome = not_supported(status_text) if status == 501 else failed(status_text)
    return ErrorPage(status, title, explanation.format(**facts), next_step.format(**facts)), outcome


def _belongs_to(error: NotLinked) -> str:
    """For the explanation of a consent for another organisation, which may have the same name."""
    if not error.former:
        return f"a different Xero organisation from the one you selected ({error.detail})."
    names = f"the organisation {error.former}. You selected {error.detail}"
    if error.former not in error.detail.split(", "):
        return f"{names}."
    return (
        f"{names}, which is a different organisation although its name is the same. A demo company, for example, "
        "becomes a new organisation when it is reset."
    )


# Status, title, explanation and next step of the page; and the redirect's status text.
_NOT_LINKED = {
    NotLinkedReason.NOT_SET_UP: (
        501,
        "Xero is not available yet",
        "{platform} has not enabled its Xero integration yet.",
        "Please ask {platform} when it will be available.",
        "The Xero integration is not enabled",
    ),
    NotLinkedReason.LIMIT: (
        402,
        "No more connections are available",
        "{platform} has connected as many organisations as Xero currently allows.",
        "Your organisation was not connected. Please tell {platform}: it can ask Xero for a higher limit, or free a "
        "connection.",
        "Connection limit reached",
    ),
    NotLinkedReason.CODE_DEAD: (
        400,
        "The authorisation has expired",
        "Xero did not accept the authorisation: it is valid for a few minutes, and only once.",
        "Nothing was connected.",
        "The authorisation code was not accepted",
    ),
    NotLinkedReason.KEYS_REJECTED: (
        501,
        "Xero does not recognise this app",
        "Xero does not recognise the app that {platform} uses.",
        "This is not your fault. Please ask {platform} to check its Xero keys.",
        "Xero rejected the app's keys",
    ),
    NotLinkedReason.NO_ORGANISATION: (
        403,
        "No organisation was selected",
        "You signed in to Xero, but did not select an organisation that can have bank feeds.",
        "Try again, and select the organisation whose bank accounts you want to feed.",
        "No organisation was authorised",
    ),
    NotLinkedReason.OTHER_ORGANISATION: (
        409,
        "That is a different organisation",
        "This connection belongs to {former}",
        "Nothing has changed. Try again and select the same organisation as before. If you want to go on with the "
        "other one, ask {platform} to move the connection: what was sent so far stays in the former organisation, and "
        "the other one begins anew.",
        "A different organisation was selected",
    ),
    NotLinkedReason.TAKEN: (
        409,
        "This organisation is already connected",
        "{detail} is already connected to {platform} for another company.",
        "An organisation can be connected only once. Disconnect it there first, or ask {platform} for help.",
        "Organisation already connected",
    ),
    NotLinkedReason.MOVED: (
        410,
        "This connection has moved",
        "{platform} has moved it to another Xero organisation, which has a link of its own.",
        "Please ask {platform} for the new link.",
        "The connection has moved",
    ),
    NotLinkedReason.NO_ACCOUNTS: (
        409,
        "There is nothing to connect yet",
        "{platform} has not added any bank account of yours.",
        "Please ask {platform} to add your accounts, then open the link again.",
        "The connection has no source accounts",
    ),
    NotLinkedReason.UPSTREAM_REFUSED: (
        501,
        "Connecting is not possible at the moment",
        "The service through which {platform} connects to Xero refuses its request.",
        "This is not your fault, and nothing has changed. Please tell {platform}.",
        "Codat refused the request",
    ),
    NotLinkedReason.NO_ACCESS: (
        403,
        "Xero did not grant access",
        "Xero did not let us read the organisation: {detail}",
        "Ask your Xero adviser whether you may use this organisation, then try again.",
        "No access to the organisation",
    ),
}
