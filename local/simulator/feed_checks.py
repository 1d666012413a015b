"""Xero's rules for a new feed connection."""

from collections.abc import Iterable
from typing import Any

from local.simulator.bank_feeds import invalid, is_guid, length, missing, too_long
from local.simulator.behaviour import Behaviour
from local.simulator.organisations import Account, Organisation
from local.simulator.problems import Problem, problem
from local.simulator.state import FeedConnection

ACCOUNT_TYPES = ("BANK", "CREDITCARD")
LENGTHS_MAX = {"accountToken": 50, "accountNumber": 40, "accountName": 30}


def why_malformed(item: dict[str, Any], behaviour: Behaviour) -> Problem | None:
    """The problem of the first field that is missing, too long or no such value."""
    return _length_fault(item, behaviour) or _missing_fault(item) or _account_fault(item) or _currency_fault(item)


def why_malformed_2(item: dict[str, Any], behaviour: Behaviour, *, is_new_account: bool) -> Problem | None:
    """The same for 2.0. It names the account by its id, or has it made with a number and a name, and never both."""
    token = item.get("accountToken")
    if not isinstance(token, str) or not 1 <= length(token, behaviour) <= LENGTHS_MAX["accountToken"]:
        return problem("invalid-account-token")
    for name in ("accountNumber", "accountName") if is_new_account else ("accountId",):
        if not item.get(name):
            detail = f"The request did not include the mandatory '{_capital(name)}' field."
            return problem("missing-identifying-fields", detail)
    if is_new_account and "accountId" in item:
        return invalid("AccountId")
    ignored = () if is_new_account else ("accountNumber", "accountName")
    return why_malformed({name: value for name, value in item.items() if name not in ignored}, behaviour)


def why_refused(
    item: dict[str, Any],
    organisation: Organisation,
    live: Iterable[FeedConnection],
    behaviour: Behaviour,
    *,
    multi_region: bool,
) -> Problem | None:
    """The problem of the first rule that a well-formed item breaks: organisation, existing connections."""
    return (
        _bank_feeds_fault(organisation)
        or _country_fault(item, organisation, behaviour, multi_region)
        or _organisation_fault(item, organisation, behaviour)
        or _connected_fault(item, organisation, live)
    )


def _length_fault(item: dict[str, Any], behaviour: Behaviour) -> Problem | None:
    for name, maximum in LENGTHS_MAX.items():
        value = item.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or not value:
            return invalid(_capital(name))
        if length(value, behaviour) > maximum:
            return too_long(_capital(name), maximum)
    return None


def _missing_fault(item: dict[str, Any]) -> Problem | None:
    for name in ("accountToken", "accountType", "currency"):
        if item.get(name) is None:
            return missing(_capital(name))
    if item.get("accountNumber") is None and item.get("accountId") is None:
        return missing("AccountNumber")
    return None


def _account_fault(item: dict[str, Any]) -> Problem | None:
    number, account_id = item.get("accountNumber"), item.get("accountId")
    if item["accountType"] not in ACCOUNT_TYPES:
        return invalid("AccountType")
    if account_id is not None and not is_guid(account_id):
        return invalid("AccountId")
    if number is not None and item["accountType"] == "CREDITCARD":
        if len(number) > 4:
            return too_long("AccountNumber", 4)
        if len(number) < 4 or not number.isdigit():
            return invalid("AccountNumber")
    return None


def _currency_fault(item: dict[str, Any]) -> Problem | None:
    currency = item["currency"]
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isalpha() and currency.isupper()):
        return invalid("Currency")
    return None


def _bank_feeds_fault(organisation: Organisation) -> Problem | None:
    return None if organisation.takes_feed_connections else problem("invalid-organisation-bank-feeds")


def _country_fault(
    item: dict[str, Any], organisation: Organisation, behaviour: Behaviour, multi_region: bool
) -> Problem | None:
    country = item.get("country")
    if country is None:
        return problem("invalid-country-specified") if behaviour.country == "required" else None
    is_code = isinstance(country, str) and len(country) == 2 and country.isalpha() and country.isupper()
    is_elsewhere = country != organisation.country and not multi_region
    if behaviour.country == "refused" or not is_code or is_elsewhere:
        return problem("invalid-country-specified")
    return None


def _organisation_fault(item: dict[str, Any], organisation: Organisation, behaviour: Behaviour) -> Problem | None:
    if item["currency"] not in organisation.currencies and behaviour.currency_checked != "statements":
        return problem("invalid-organisation-multi-currency")
    account = _named_account(item, organisation)
    if item.get("accountId") is not None and (
        account is None or not account.active or account.bank_type != item["accountType"]
    ):
        return problem("account-not-valid")
    is_other_currency = account is not None and account.currency != item["currency"]
    if is_other_currency and behaviour.currency_checked == "account":
        return problem("account-not-valid")
    return None


def _connected_fault(
    item: dict[str, Any], organisation: Organisation, live: Iterable[FeedConnection]
) -> Problem | None:
    """An account token is unique per financial institution, and so across organisations."""
    account = _named_account(item, organisation)
    for feed in live:
        same_token = feed.account_token == item["accountToken"]
        if feed.tenant_id != organisation.tenant_id:
            if same_token:
                return problem("feed-connected-in-different-organisation")
        elif same_token or (account is not None and feed.account_id == account.account_id):
            return problem("feed-already-connected-in-current-organisation")
    return None


def _named_account(item: dict[str, Any], organisation: Organisation) -> Account | None:
    if item.get("accountId") is not None:
        return organisation.account(item["accountId"].lower())
    return organisation.account_numbered(item["accountNumber"], item["accountType"])


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
