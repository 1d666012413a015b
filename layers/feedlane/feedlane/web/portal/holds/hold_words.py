"""What the reasons of holds mean to people: what has happened, who can mend it, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from feedlane.scope import Scope


class Mender(StrEnum):
    YOU = "You"
    CUSTOMER = "The customer"
    XERO = "Xero"
    CODAT = "Codat"


@dataclass(frozen=True)
class HoldWords:
    """`meaning` goes on after the number of what is held: `96 accounts: …`."""

    meaning: str
    mender: Mender
    remedy: str


_YOU, _CUSTOMER, _XERO, _CODAT = Mender.YOU, Mender.CUSTOMER, Mender.XERO, Mender.CODAT
_RECONNECT = "Send the customer the link again. Once they have reconnected, the hold is released by itself."
_MAP_AGAIN = "Have the account mapped again, in Link or through the API. The hold is then released by itself."
_OTHER_ACCOUNT = "Map it to a Xero account that no other feed uses, then release."
_UNKNOWN = HoldWords(
    "Xero refused, for a reason of its own", _YOU, "Read what Xero says, mend the cause, then release."
)
_BY_REASON = {
    "app-not-enabled": HoldWords(
        "Xero has not enabled bank feeds for your app", _XERO, "Ask Xero to enable Bank Feeds for it, then release."
    ),
    "app-suspended": HoldWords("Xero has suspended your app", _XERO, "Settle it with Xero, then release."),
    "app-keys-rejected": HoldWords(
        "Xero does not accept the app’s keys",
        _YOU,
        "Enter valid keys in Settings. The hold is then released by itself.",
    ),
    "organisation-without-bank-feeds": HoldWords(
        "the organisation’s plan has no bank feeds",
        _CUSTOMER,
        "Have the customer change their Xero plan, or ask Xero’s support, then release. Some regions and demo companies"
        " have no bank feeds.",
    ),
    "user-role-too-low": HoldWords(
        "who connected it has too few rights in Xero",
        _CUSTOMER,
        "Have another user of the organisation reconnect, then release.",
    ),
    "reconnection-needed": HoldWords("the customer has to reconnect", _CUSTOMER, _RECONNECT),
    "no-access": HoldWords("Xero gives no access any more", _CUSTOMER, _RECONNECT),
    "source-account-disconnected": HoldWords(
        "the account was disconnected while transactions waited", _CUSTOMER, _MAP_AGAIN
    ),
    "feed-connection-gone": HoldWords("Xero no longer knows the feed connection", _CUSTOMER, _MAP_AGAIN),
    "feed-connection-rejected": HoldWords("Xero rejected the feed connection", _CUSTOMER, _MAP_AGAIN),
    "feed-connection-elsewhere": HoldWords(
        "the feed connection belongs to another organisation", _CUSTOMER, _MAP_AGAIN
    ),
    "currency-not-supported": HoldWords(
        "the organisation does not use the account’s currency",
        _CUSTOMER,
        "Have the organisation add the currency, or move to a plan with several currencies, then release.",
    ),
    "account-archived": HoldWords(
        "the Xero account is archived",
        _CUSTOMER,
        "Have it restored in Xero (Chart of accounts, Archived), then release.",
    ),
    "account-deleted": HoldWords(
        "the Xero account was deleted",
        _CUSTOMER,
        "Disconnect the account and map it to another one. The hold is then released by itself.",
    ),
    "account-not-valid": HoldWords(
        "the account is not valid for a bank feed",
        _CUSTOMER,
        "Have it corrected in Xero, or map it to another account, then release.",
    ),
    "account-already-connected": HoldWords("the Xero account has another feed", _CUSTOMER, _OTHER_ACCOUNT),
    "account-connected-elsewhere": HoldWords(
        "the account is connected in another organisation", _CUSTOMER, _OTHER_ACCOUNT
    ),
    "account-name-taken": HoldWords(
        "Xero has another account of this name",
        _CUSTOMER,
        "Map it to the account that has its name, or have one of them renamed.",
    ),
    "missing-feed-connections-scope": HoldWords(
        "the customer connected before feed connections needed a consent", _CUSTOMER, _RECONNECT
    ),
    "feed-connections-not-enabled": HoldWords(
        "Xero has not enabled Feed Connections 2.0 for your app",
        _XERO,
        "Ask Xero to enable it, or choose version 1 in the settings, then release.",
    ),
    "country-not-allowed": HoldWords(
        "your app may not feed organisations of this country",
        _XERO,
        "Settle the app’s regions with Xero, then release.",
    ),
    "push-refused": HoldWords(
        "a refused push left transactions missing",
        _YOU,
        "Send the refused push again as a backfill. The hold is then released by itself.",
    ),
    "statement-not-found": HoldWords(
        "Xero no longer has the statement", _YOU, "Release: what waits is sent as a new statement."
    ),
    "invalid-data": HoldWords(
        "Xero does not accept a transaction",
        _YOU,
        "Release through the API or the command line, setting aside the transaction that is named.",
    ),
    "invalid-balance": HoldWords(
        "Xero does not accept a balance",
        _YOU,
        "Release through the API or the command line, setting aside the transaction that is named.",
    ),
    "start-date-refused": HoldWords(
        "transactions are older than Xero takes",
        _YOU,
        "Release through the API or the command line, setting aside those that are older than a year.",
    ),
    "end-date-refused": HoldWords(
        "a statement ends on a day that has not passed", _YOU, "Release once that day is over."
    ),
    "dates-reversed": HoldWords("a statement’s dates were reversed", _YOU, "Release: a new statement is built."),
    "codat-key-rejected": HoldWords(
        "Codat does not accept the API key", _YOU, "Enter a valid one in Settings, then release."
    ),
    "codat-limit-reached": HoldWords(
        "the limit of your Codat account is reached", _CODAT, "Settle it with Codat, then release."
    ),
    "codat-access-refused": HoldWords(
        "Codat refuses the company", _CODAT, "Read what Codat says, settle it there, then release."
    ),
    "codat-connection-not-found": HoldWords("Codat does not know the connection", _CUSTOMER, _RECONNECT),
    "codat-key-reused": HoldWords(
        "Codat knows the push from another request", _YOU, "Compare it with Codat’s history, then release."
    ),
    "push-timed-out": HoldWords(
        "Codat gave up a push that may still arrive",
        _YOU,
        "Look into Xero, then release. Transactions that Xero has are not doubled.",
    ),
}
_NOUNS = {
    Scope.APP: ("app", "apps"),
    Scope.TENANT: ("organisation", "organisations"),
    Scope.CONNECTION: ("connection", "connections"),
    Scope.FEED: ("account", "accounts"),
}


def words_of(reason: str) -> HoldWords:
    """Reasons are an open list: one that is not known says where to look."""
    return _BY_REASON.get(reason, _UNKNOWN)


def noun_of(scope: Scope, count: int = 1) -> str:
    return _NOUNS[scope][count != 1]
