"""Consent, tokens and connections. pyxero has no way to disconnect."""

from collections.abc import Callable

import requests
from points import BAKERY, CONNECTED, IS_OTHER, claims, consent, control, equal, point
from session import Session
from xero.exceptions import XeroAccessDenied


@point
def consent_and_code_exchange(session: Session) -> None:
    back = consent(session.credentials.generate_url(), *CONNECTED)
    session.credentials.verify(back)
    assert session.credentials.token["refresh_token"]
    equal(session.credentials.expired(), False)


@point
def a_code_is_good_once(session: Session) -> None:
    again = session.new_credentials(auth_state=session.credentials.auth_state)
    back = consent(again.generate_url(), BAKERY)
    again.verify(back)
    denied(lambda: session.new_credentials(auth_state=again.auth_state).verify(back), "invalid_grant")


@point
def a_refused_consent_comes_back_as_access_denied(session: Session) -> None:
    control("PUT", "consent", {"mode": "deny"})
    other = session.new_credentials()
    back = requests.get(other.generate_url(), allow_redirects=False, timeout=20).headers["Location"]
    denied(lambda: other.verify(back), "access_denied")


@point
def a_consent_with_the_state_of_another_is_refused(session: Session) -> None:
    other = session.new_credentials()
    back = consent(other.generate_url(), BAKERY)
    other.auth_state = "another"
    denied(lambda: other.verify(back), "mismatching_state")


@point
def the_access_token_has_the_claims_of_xero(session: Session) -> None:
    found = claims(session.credentials.token["access_token"])
    equal((found["iss"], found["aud"]), ("https://identity.xero.com", "https://identity.xero.com/resources"))
    equal("idp" in found, IS_OTHER)


@point
def connections_are_listed(session: Session) -> None:
    found = {one["tenantName"]: one for one in session.credentials.get_tenants()}
    equal(len(found), len(CONNECTED))
    equal(found[BAKERY]["tenantId"], session.known[BAKERY]["tenantId"])


@point
def a_practice_has_its_tenant_type(session: Session) -> None:
    found = {one["tenantName"]: one["tenantType"] for one in session.credentials.get_tenants()}
    equal((found[BAKERY], found["Ledger Practice"]), ("ORGANISATION", "PRACTICE"))


@point
def ids_of_connections_are_text(session: Session) -> None:
    id = session.credentials.get_tenants()[0]["id"]
    equal(id.startswith("x"), IS_OTHER)


@point
def connections_are_filtered_by_their_consent(session: Session) -> None:
    other = session.new_credentials()
    other.verify(consent(other.generate_url(), "Demo Company (UK)"))
    session.credentials = other
    event = claims(other.token["access_token"])["authentication_event_id"]
    equal([one["tenantName"] for one in other.get_tenants(event)], ["Demo Company (UK)"])


@point
def the_default_tenant_is_the_first(session: Session) -> None:
    session.credentials.set_default_tenant()
    equal(session.credentials.tenant_id, session.credentials.get_tenants()[0]["tenantId"])


@point
def a_refresh_brings_a_new_pair(session: Session) -> None:
    before = session.credentials.token
    after = session.credentials.refresh()
    assert before["refresh_token"] != after["refresh_token"]
    assert before["access_token"] != after["access_token"]


@point
def a_token_is_usable_after_its_refresh(session: Session) -> None:
    equal(len(session.credentials.get_tenants()), len(CONNECTED) + 1)


def denied(act: Callable[[], None], reason: str) -> None:
    try:
        act()
    except XeroAccessDenied as error:
        equal(reason in str(error), True)
        return
    raise AssertionError(f"no {reason}")
