"""The Xero that the clients meet: organisations of several regions, and two sets of the simulator's switches."""

from typing import Any

import httpx

# Positions that a client must be at ease with, beside the defaults: each is one of two that Xero may have.
OTHER_XERO: dict[str, Any] = {
    "loginHost": "own",
    "accessTokenIdp": "present",
    "ids": "opaque",
    "amounts": "numbers",
    "lineCountType": "integer",
    "feedListStatus": 202,
    "missingScope": 401,
    "limitNames": "long",
    "reconnectedId": "new",
    "rejections": "root",
    "mixedStatus": 207,
    "graceReplay": "samePair",
    "refreshEndsAccessToken": True,
    "secondConsent": "keeps",
    "currencyChecked": "account",
}
WORLDS: dict[str, dict[str, Any]] = {"default": {}, "other": OTHER_XERO}

REGIONS = [
    ("Dental Auckland", "NZ", "NZD"),
    ("Harbour Sydney", "AU", "AUD"),
    ("Corner New York", "US", "USD"),
    ("Maple Toronto", "CA", "CAD"),
    ("Liffey Dublin", "IE", "EUR"),
    ("Cape Town Tours", "ZA", "ZAR"),
    ("Marina Singapore", "SG", "SGD"),
    ("Kowloon Trading", "HK", "HKD"),
]


def prepare(simulator: str, switches: dict[str, Any]) -> None:
    """From the beginning: nobody is connected, and no limit is in the way of many calls."""
    with httpx.Client(base_url=f"{simulator}/_simulator/", trust_env=False, timeout=20) as control:

        def ask(method: str, path: str, body: Any = None) -> Any:
            answer = control.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json()

        ask("POST", "reset")
        ask("PUT", "behaviour", switches)
        ask("PUT", "limits", {"tenantMinute": 10_000, "statementsMinute": 10_000})
        ask("PUT", "app", {"connectionLimit": None, "multiRegion": True})
        ask("PUT", "timing", {"statementSeconds": 0.3, "feedConnectionSeconds": 0.3})
        for name, country, currency in REGIONS:
            accounts = [{"name": f"{name} cheque", "number": "12345678901234"}]
            ask("POST", "orgs", {"name": name, "country": country, "currency": currency, "accounts": accounts})
        ask("POST", "orgs", {"name": "Ledger Practice", "country": "GB", "currency": "GBP", "tenantType": "PRACTICE"})
        user = ask("GET", "consent")["userId"]
        reader = {"name": "Read Only Ltd", "country": "GB", "currency": "GBP", "roles": {user: "READONLY"}}
        ask("POST", "orgs", reader | {"accounts": [{"name": "Reader", "number": "40404012345678"}]})
        archived = {"name": "Archive Ltd", "country": "GB", "currency": "GBP"}
        kept = ask("POST", "orgs", archived | {"accounts": [{"name": "Old Account", "number": "40404087654321"}]})
        account = kept["accounts"][0]["accountId"]
        ask("PUT", f"orgs/{kept['tenantId']}/accounts/{account}", {"archived": True})
