"""PKCE in addition to the app's secret: a code is useless without the verifier of its challenge."""

from __future__ import annotations

import httpx
import pytest

from feedlane.errors import ReconnectionNeeded
from feedlane.ids import new_secret
from feedlane.xero.identity import authorize_url, code_challenge
from local.simulator.state import DEFAULT_CLIENT_ID
from tests.contract.xero.conftest import BAKERY, REDIRECT, SCOPES, Xero


def _code(xero: Xero, verifier: str) -> str:
    xero.control("PUT", "consent", {"mode": "auto", "tenantIds": [BAKERY]})
    url = authorize_url(xero.url, DEFAULT_CLIENT_ID, REDIRECT, SCOPES, "state-1", code_challenge(verifier))
    return str(httpx.URL(xero.http.get(url).headers["location"]).params["code"])


def test_the_verifier_of_the_challenge_brings_the_tokens(xero: Xero) -> None:
    verifier = new_secret()
    assert xero.vault.exchange_code(_code(xero, verifier), REDIRECT, verifier).token_set_id


@pytest.mark.parametrize("wrong", [None, "w" * 43])
def test_another_verifier_or_none_brings_nothing(xero: Xero, wrong: str | None) -> None:
    code = _code(xero, new_secret())
    with pytest.raises(ReconnectionNeeded) as raised:
        xero.vault.exchange_code(code, REDIRECT, wrong)
    assert raised.value.problem.type == "invalid_grant"


def test_the_challenge_is_that_of_the_standards_example() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
