"""Error pages: what happened, what to do next, and a link to continue where there is one."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from feedlane.errors import FeedlaneError
from feedlane.link.linking import NotLinked, NotLinkedReason
from feedlane.link.state import ExpiredState, OtherBrowser, StateError, UsedState
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from feedlane.texts import say
from feedlane.web.brand import frame_of
from feedlane.web.link.redirects import RedirectResult, failed, not_supported
from feedlane.web.response import Response, page
from feedlane.web.site import Site

logger = Logger(child=True)


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
        retry_label: str = "",
        return_url: str = "",
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.explanation = explanation
        self.next_step = next_step
        self.retry_url = retry_url
        self.retry_label = retry_label or say("error.try-again")
        self.return_url = return_url


class NoSuchPage(ErrorPage):
    def __init__(self) -> None:
        super().__init__(404, *words_of("error.no-such-page"))


def words_of(key: str, **facts: str) -> tuple[str, str, str]:
    """Title, explanation and next step, in the language that is spoken."""
    return say(f"{key}.title", **facts), say(f"{key}.explanation", **facts), say(f"{key}.next", **facts)


def explained(status: int, key: str, retry_url: str = "", retry: str = "try-again", **facts: str) -> ErrorPage:
    """The page with the texts `error.{key}`. `retry` names the words of its link, `facts` are placeholders."""
    return ErrorPage(status, *words_of(f"error.{key}", **facts), retry_url=retry_url, retry_label=say(f"error.{retry}"))


def profile_of(site: Site) -> Profile:
    """Without the platform's name if it cannot be read: the page says what happened all the same."""
    try:
        return settings_items.profile(site.store)
    except Exception as error:
        # Its text may have what nobody should read in a log.
        logger.warning("trouble is told without the platform's name", kind=type(error).__name__)
        return Profile()


def error_page(profile: Profile, error: ErrorPage) -> Response:
    return page("error", error.status, error=error, title=error.title, **frame_of(profile))


def state_error_page(error: StateError, start_url: str) -> ErrorPage:
    """`start_url` is where to authorise the connection of the state again; empty if the page must not offer that."""
    match error:
        case UsedState():
            return explained(409, "used", start_url, "continue")
        case ExpiredState():
            return explained(410, "expired", start_url)
        case OtherBrowser():
            return explained(403, "other-browser")
        case _:
            return explained(400, "unknown-state")


def bank_feeds_missing_page(platform: str, organisation: str, retry_url: str = "") -> tuple[ErrorPage, RedirectResult]:
    """The page after a consent without bank feeds, and the result that the redirect reports to the platform."""
    facts = {"name": platform, "organisation": organisation or say("error.your-organisation")}
    error = explained(403, "bank-feeds-missing", retry_url, "connect-again", **facts)
    return error, failed("Bank feeds were not authorised")


def not_linked_page(error: NotLinked, platform: str) -> tuple[ErrorPage, RedirectResult]:
    """The page for why linking failed, and the result that the redirect reports to the platform."""
    status, status_text = _NOT_LINKED[error.reason]
    words = words_of(f"not-linked.{error.reason}", name=platform, detail=error.detail, former=_belongs_to(error))
    outcome = not_supported(status_text) if status == 501 else failed(status_text)
    return ErrorPage(status, *words), outcome


def _belongs_to(error: NotLinked) -> str:
    """For the explanation of a consent for another organisation, which may have the same name."""
    if not error.former:
        return say("not-linked.former.unknown", detail=error.detail)
    kind = "same-name" if error.former in error.detail.split(", ") else "known"
    return say(f"not-linked.former.{kind}", former=error.former, detail=error.detail)


# Status of the page, and the redirect's status text, which platforms read. The words are in the catalogues.
_NOT_LINKED = {
    NotLinkedReason.NOT_SET_UP: (501, "The Xero integration is not enabled"),
    NotLinkedReason.LIMIT: (402, "Connection limit reached"),
    NotLinkedReason.CODE_DEAD: (400, "The authorisation code was not accepted"),
    NotLinkedReason.KEYS_REJECTED: (501, "Xero rejected the app's keys"),
    NotLinkedReason.NO_ORGANISATION: (403, "No organisation was authorised"),
    NotLinkedReason.OTHER_ORGANISATION: (409, "A different organisation was selected"),
    NotLinkedReason.TAKEN: (409, "Organisation already connected"),
    NotLinkedReason.MOVED: (410, "The connection has moved"),
    NotLinkedReason.NO_ACCOUNTS: (409, "The connection has no source accounts"),
    NotLinkedReason.UPSTREAM_REFUSED: (501, "Codat refused the request"),
    NotLinkedReason.UPSTREAM_CHANGING: (409, "The connection is being changed"),
    NotLinkedReason.NO_ACCESS: (403, "No access to the organisation"),
}
