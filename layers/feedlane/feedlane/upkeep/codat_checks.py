"""What the test of the integration looks at where customers consent through Codat, and what bank feeds need there.

It accepts the key, offers our customers Xero, and sends them back here.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.errors import FeedlaneError, ReconnectionNeeded, Refused
from feedlane.settings.settings import Settings
from feedlane.upkeep.check import Check, as_sentence, failed, ok, skipped
from feedlane.upkeep.outside import Outside
from feedlane.upkeep.xero_checks import unreachable

# Codat says 401 to a wrong key and 403 to an outdated one. Other refusals, as of a plan, come after it was recognised.
_KEY_STATUSES = (401, 403)
_AGAIN = "Run the test again in a minute."
_NOT_SAID = "Whether Codat sends customers there, it did not say."


@dataclass(frozen=True)
class CodatAnswer:
    """None: Codat did not say, and `reason` is why. `redirect_url` is what is set there."""

    accepts_key: bool | None = None
    offers_xero: bool | None = None
    redirects_here: bool | None = None
    redirect_url: str = ""
    reason: str = ""

    @property
    def is_ready(self) -> bool | None:
        """Whether a customer could connect."""
        answers = (self.accepts_key, self.offers_xero, self.redirects_here)
        if False in answers:
            return False
        return None if None in answers else True


def ask_codat(settings: Settings, outside: Outside, callback_url: str) -> CodatAnswer:
    """Two calls, which change nothing. What Codat refuses is an answer; without a key, it is not asked."""
    if not settings.codat.ending:
        return CodatAnswer(reason="there is no API key yet")
    try:
        client = outside.codat_client()
    except Refused as error:
        accepts_key = False if error.problem.status in _KEY_STATUSES else None
        return CodatAnswer(accepts_key, reason=error.problem.sentence)
    except ReconnectionNeeded as error:
        return CodatAnswer(reason=error.problem.sentence)
    except FeedlaneError as error:
        return CodatAnswer(reason=str(error))
    return CodatAnswer(True, client.offers_xero, client.leads_to(callback_url), client.redirect_url)


def checked(settings: Settings, answer: CodatAnswer, callback_url: str, callback_fault: str) -> list[Check]:
    return [
        _key(settings, answer),
        _integration(answer),
        _redirect(answer, callback_url, callback_fault),
        _webhooks(settings),
    ]


def _key(settings: Settings, answer: CodatAnswer) -> Check:
    title = "Codat’s API key"
    if not settings.codat.ending:
        return failed(title, "There is none.", "Enter it in step 1.")
    if answer.accepts_key:
        return ok(title, "Codat accepts it.")
    if answer.accepts_key is None:
        return failed(title, f"It could not be checked. {as_sentence(answer.reason)}", _AGAIN)
    return failed(title, "Codat does not accept it.", "Make a new key in Codat’s portal, and enter it in step 1.")


def _integration(answer: CodatAnswer) -> Check:
    title = "Xero at Codat"
    if answer.offers_xero:
        return ok(title, "Xero is switched on there.")
    if answer.offers_xero is None:
        return skipped(title, "Codat did not say whether Xero is switched on there.", as_sentence(answer.reason))
    remedy = (
        "Switch Xero on in Codat’s portal: Settings, Integrations, Accounting. Until then, customers cannot connect."
    )
    return failed(title, "Xero is not switched on there.", remedy)


def _redirect(answer: CodatAnswer, callback_url: str, fault: str) -> Check:
    title = "Redirect URL"
    if fault:
        return unreachable(title, callback_url, fault)
    if answer.redirects_here:
        return ok(title, f"Link answers at {callback_url}, and Codat sends customers there.")
    if answer.redirects_here is None:
        return skipped(title, f"Link answers at {callback_url}. {_NOT_SAID}", as_sentence(answer.reason))
    found = f"Codat’s is {answer.redirect_url}" if answer.redirect_url else "Codat has none"
    remedy = "Set in Codat’s portal what step 2 shows. Until then, customers do not come back."
    return failed(title, f"{found}, which does not lead back here with all that it needs.", remedy)


def _webhooks(settings: Settings) -> Check:
    title = "Codat’s webhooks"
    if settings.codat.webhook_ending:
        return ok(title, "Their secret is stored.")
    sentence = "Their secret is not stored. Without them everything works, but later: Codat is asked now and then."
    return skipped(title, sentence, "Enter it in step 2.")
