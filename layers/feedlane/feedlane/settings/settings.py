"""The settings of the integration: what the operator decides about the Xero app and about Link."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import model_validator

from feedlane.companies.connection import BANK_FEEDS_SCOPE, FEED_CONNECTIONS_2_SCOPE, UpstreamName
from feedlane.feeds.feed import Feed
from feedlane.feeds.rules import ChangedTransactions, Rules
from feedlane.record import Record

OFFLINE_ACCESS = "offline_access"


class Access(StrEnum):
    """One-off access has no refresh token and ends with its access token. Continuous access is kept alive."""

    ONE_OFF = "OneOff"
    CONTINUOUS = "Continuous"


class CodatFacts(Record):
    """What may be known of Codat's API keys and of its webhooks' secret: their last four characters.

    `version` is the vault's version of the keys that these fields describe.
    """

    ending: str = ""
    second_ending: str = ""
    webhook_ending: str = ""
    checked: bool = False
    version: int = 0


class Settings(Record):
    upstream: UpstreamName = UpstreamName.XERO
    """Of the connections to come. A company may say otherwise; what is created keeps its own."""
    enabled: bool = False
    bank_feeds: bool = False
    access: Access = Access.CONTINUOUS
    app_name: str = ""
    company_url: str = ""
    redirect_uri: str = ""
    """Where Xero sends customers back to. Empty: the callback of the deployment itself."""
    partner: bool = False
    privacy_policy_url: str = ""
    terms_url: str = ""
    # Xero's limit depends on the app's tier. 25 was that of an uncertified app; Xero gives new ones 5.
    connection_limit: int | None = 25
    # Xero's limit on its lowest tier, and so safe on every other.
    daily_limit: int = 1000
    gap_is_error: bool = False
    changed_transactions: ChangedTransactions = ChangedTransactions.REFUSE_AMOUNTS
    refusal_holds_feed: bool = False
    """Whether a push that the ledger refuses holds its feed, so that nothing after it is recorded before it is."""
    synthetic_balances: bool = False
    """Whether statements open and close with computed balances; a feed may say otherwise."""
    feed_connections: int = 1
    """The version of Xero's API (1 or 2) by which feed connections are made. Statements have 1.0 alone."""
    pkce: bool = True
    """Link authorises with a challenge (PKCE, S256) in addition to the app's secret."""
    link_passwords: bool = False
    """Link URLs in the API's answers carry a one-time password, and do not work without it."""
    client_id: str = ""
    client_secret_ending: str = ""
    second_secret_ending: str = ""
    keys_checked: bool = False
    keys_version: int = 0
    """The vault's version of the keys that the fields above describe."""
    codat: CodatFacts = CodatFacts()
    version: int = 0

    @model_validator(mode="before")
    @classmethod
    def _partner_without_limit(cls, stored: Any) -> Any:
        """The table stores no nulls, so a partner's missing limit means no limit, not the default."""
        if isinstance(stored, dict) and stored.get("partner"):
            return {"connection_limit": None} | stored
        return stored

    @property
    def has_keys(self) -> bool:
        return bool(self.client_id)

    @property
    def is_direct(self) -> bool:
        """Whether connections to come are those of our own Xero app, and not Codat's."""
        return self.upstream == UpstreamName.XERO

    @property
    def is_startable(self) -> bool:
        """Whether customers may connect through any upstream at all."""
        return self.has_keys or bool(self.codat.ending)

    @property
    def asks_xero(self) -> bool:
        """Whether Xero has to grant anything: not where Codat has taken its place, and there is no app at Xero."""
        return self.has_keys or (self.is_direct and not self.codat.ending)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What Link asks Xero for. `bankfeeds` whenever bank feeds are on, whatever the connection has already."""
        scopes = ["openid", "profile", "email", "accounting.settings.read"]
        if self.bank_feeds:
            scopes.append(BANK_FEEDS_SCOPE)
            if self.feed_connections == 2:
                scopes.append(FEED_CONNECTIONS_2_SCOPE)
        if self.access is Access.CONTINUOUS:
            scopes.append(OFFLINE_ACCESS)
        return tuple(scopes)


DEFAULT_NAME = "Feedlane"


class Profile(Record):
    """How the platform appears in Link: its name, logo and colour, and where Link sends customers back to."""

    name: str = DEFAULT_NAME
    redirect_url: str = ""
    logo_url: str = ""
    icon_url: str = ""
    colour: str = ""
    """Of Link's buttons and links: `#3157d5`, dark enough for white text on it. Empty: Link's own."""
    support_address: str = ""
    """Where customers find help: an e-mail address or an https URL."""
    sign_in_url: str = ""
    """Where customers sign in at the platform: a start from inside Xero leads there."""
    white_list_urls: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    version: int = 0


def limit_of(settings: Settings) -> int | None:
    """The connection limit. None means no limit, as partners have it."""
    return None if settings.partner else settings.connection_limit


def rules_for(settings: Settings, feed: Feed) -> Rules:
    """The rules of this feed's ledger."""
    own = feed.synthetic_balances
    return Rules(
        gap_is_error=settings.gap_is_error,
        changed_transactions=settings.changed_transactions,
        synthetic_balances=settings.synthetic_balances if own is None else own,
    )
