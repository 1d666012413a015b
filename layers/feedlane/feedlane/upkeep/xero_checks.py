"""What the test of the integration looks at where customers consent at Xero: keys, redirect URI, scopes and clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.credentials.authorization import Authorization, Verdict
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, Unavailable
from feedlane.settings.settings import Settings
from feedlane.upkeep.check import Check, as_sentence, failed, ok, skipped
from feedlane.upkeep.outside import Outside

# Tokens and signatures of webhooks are still good with this much.
CLOCK_DIFFERENCE_MAX = timedelta(seconds=60)
_BANK_FEEDS = "bankfeeds"


@dataclass(frozen=True)
class XeroChecks:
    """`redirect_uri` is where Xero sends customers back to."""

    outside: Outside
    settings: Settings
    redirect_uri: str

    def ask(self) -> Authorization:
        """Whether Xero would let a customer authorise the app."""
        if not self.settings.has_keys:
            return Authorization(Verdict.UNKNOWN, reason="there is no client id yet")
        return self.outside.ask_xero(self.settings.client_id, self.redirect_uri, self.settings.scopes)

    def checked(self, vault: Vault, answer: Authorization, redirect_fault: str) -> list[Check]:
        return [self._keys(vault), self._redirect(answer, redirect_fault), self._scopes(answer)]

    def clock(self, answer: Authorization, now: datetime) -> Check:
        """`now`: when the answer came."""
        title = "Clock"
        if answer.answered_at is None:
            return self._skipped(title, "There is no other clock to compare with.", answer)
        difference = abs(now - answer.answered_at)
        seconds = round(difference.total_seconds())
        if difference <= CLOCK_DIFFERENCE_MAX:
            return ok(title, "It agrees with Xero’s." if seconds < 5 else f"It differs from Xero’s by {seconds} s.")
        return failed(title, f"It differs from Xero’s by {seconds} s.", "Tokens and signatures depend on it: ask AWS.")

    def _keys(self, vault: Vault) -> Check:
        title = "Keys of the Xero app"
        if not self.settings.has_keys:
            return failed(title, "There are none.", f"Enter client id and client secret {self._keys_are}.")
        try:
            check = vault.app_keys(check=True)
        except (Unavailable, AppKeysRejected) as error:
            return failed(title, f"They could not be checked: {error}", "Run the test again in a minute.")
        if check.ok:
            return ok(title, "Xero knows them.")
        if check.ok is None:
            return failed(title, check.message or "Xero could not be asked.", "Run the test again in a minute.")
        remedy = f"Generate a new secret at Xero Developer, under Configuration, and enter it {self._keys_are}."
        return failed(title, "Xero does not know this client id with this secret.", remedy)

    def _redirect(self, answer: Authorization, fault: str) -> Check:
        title = "Redirect URI"
        if fault:
            return unreachable(title, self.redirect_uri, fault)
        if answer.verdict is Verdict.WRONG_REDIRECT:
            remedy = f"Register exactly {self.redirect_uri} at Xero Developer, under Configuration."
            return failed(title, "Link answers there, but it is not registered with the Xero app.", remedy)
        if answer.verdict in (Verdict.ACCEPTED, Verdict.WRONG_SCOPE):
            return ok(title, f"Link answers at {self.redirect_uri}, which is registered with the Xero app.")
        sentence = "Link answers there. Whether it is registered with the Xero app, Xero did not say."
        return self._skipped(title, sentence, answer)

    def _scopes(self, answer: Authorization) -> Check:
        title, settings = "Scopes", self.settings
        if answer.verdict is Verdict.ACCEPTED:
            without = "" if settings.bank_feeds else " Bank feeds are off, so their scope was not asked for."
            return ok(title, f"Xero grants {' '.join(settings.scopes)}.{without}")
        if answer.verdict is not Verdict.WRONG_SCOPE:
            return self._skipped(title, "Xero did not say which scopes it grants.", answer)
        others = self.outside.ask_xero(settings.client_id, self.redirect_uri, settings.but(bank_feeds=False).scopes)
        if settings.bank_feeds and others.verdict is Verdict.ACCEPTED:
            remedy = "Ask Xero for access to the Bank Feeds API for this app. Until then, customers cannot connect."
            return failed(title, f"Xero does not grant {_BANK_FEEDS} to this app.", remedy)
        remedy = "Check at Xero Developer that the app is of the type Web app, and ask Xero about the scopes."
        return failed(title, f"Xero does not grant one of {' '.join(settings.scopes)}.", remedy)

    def _skipped(self, title: str, sentence: str, answer: Authorization) -> Check:
        remedies = {
            Verdict.WRONG_CLIENT: f"Xero does not know the client id: check it {self._keys_are}.",
            Verdict.WRONG_REDIRECT: "Register the redirect URI first: Xero looks at it before the scopes.",
        }
        return skipped(title, sentence, remedies.get(answer.verdict, as_sentence(answer.reason)))

    @property
    def _keys_are(self) -> str:
        """Where they are entered: the guide has them only where it leads to Xero."""
        return "in step 2" if self.settings.is_direct else "under “Xero app” in the settings"


def ask_about_bank_feeds(outside: Outside, settings: Settings, redirect_uri: str) -> Authorization:
    """Whether Xero grants what bank feeds need, with those as if they were on."""
    return outside.ask_xero(settings.client_id, redirect_uri, settings.but(bank_feeds=True).scopes)


def unreachable(title: str, url: str, fault: str) -> Check:
    remedy = "Check the address of the deployment (the parameter PublicUrl) and what stands in front of it."
    return failed(title, f"Customers would not come back to {url}: {fault}.", remedy)
