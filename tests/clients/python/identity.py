"""Tokens and connections. The SDK leaves the consent to others; what ends something is in ends.py."""

from datetime import datetime

from points import BAKERY, CONNECTED, IS_OTHER, equal, point, raises
from session import Session
from xero_python.exceptions import HTTPStatusException


@point
def consent_and_code_exchange(session: Session) -> None:
    session.connect(*CONNECTED)
    assert session.token["refresh_token"]


@point
def connections_are_listed(session: Session) -> None:
    found = {one.tenant_name: one for one in session.identity.get_connections()}
    equal(len(found), len(CONNECTED))
    equal(found[BAKERY].tenant_id, session.tenant())
    assert isinstance(found[BAKERY].created_date_utc, datetime)


@point
def a_practice_has_its_tenant_type(session: Session) -> None:
    found = {one.tenant_name: one.tenant_type for one in session.identity.get_connections()}
    equal((found[BAKERY], found["Ledger Practice"]), ("ORGANISATION", "PRACTICE"))


@point
def ids_of_connections_are_text(session: Session) -> None:
    equal(session.identity.get_connections()[0].id.startswith("x"), IS_OTHER)


@point
def connections_are_filtered_by_their_consent(session: Session) -> None:
    session.connect("Demo Company (UK)")
    found = {one.tenant_name: one.auth_event_id for one in session.identity.get_connections()}
    event = found["Demo Company (UK)"]
    equal([one.tenant_name for one in session.identity.get_connections(auth_event_id=event)], ["Demo Company (UK)"])


@point
def a_refresh_brings_a_new_pair(session: Session) -> None:
    before = session.token
    assert session.client.configuration.oauth2_token.refresh_access_token(session.client)
    assert before["refresh_token"] != session.token["refresh_token"]
    equal(len(session.identity.get_connections()), len(CONNECTED) + 1)


@point
def a_refresh_with_an_unknown_token_is_invalid_grant(session: Session) -> None:
    other = Session()
    other.token = session.token | {"refresh_token": "unknown"}
    other.identity.api_client.configuration.oauth2_token.update_token(
        **{name: other.token[name] for name in ("access_token", "expires_in", "refresh_token", "scope", "token_type")}
    )
    with raises(HTTPStatusException, 400) as seen:
        other.client.configuration.oauth2_token.refresh_access_token(other.client)
    # The SDK knows this error by its whole text.
    equal(seen[0].http_resp.text, '{"error":"invalid_grant"}')
