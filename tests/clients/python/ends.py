"""What ends something: connections that are deleted, and tokens that are revoked."""

import uuid

from points import BAKERY, CONNECTED, IS_OTHER, control, equal, point, raises
from session import Session
from xero_python.exceptions import HTTPStatusException


@point
def a_connection_is_deleted(session: Session) -> None:
    found = {one.tenant_name: one.id for one in session.identity.get_connections()}
    session.identity.delete_connection(id=found["Kowloon Trading"])
    assert "Kowloon Trading" not in {one.tenant_name for one in session.identity.get_connections()}
    with raises(HTTPStatusException, 403):
        session.accounting.get_organisations(session.tenant("Kowloon Trading"))


@point
def a_deleted_connection_is_made_again(session: Session) -> None:
    before = {one.tenant_name: one.id for one in session.identity.get_connections()}
    session.identity.delete_connection(id=before["Marina Singapore"])
    session.connect("Marina Singapore")
    after = {one.tenant_name: one.id for one in session.identity.get_connections()}
    equal(before["Marina Singapore"] == after["Marina Singapore"], not IS_OTHER)


@point
def a_tenant_id_is_no_connection_id(session: Session) -> None:
    with raises(HTTPStatusException, 403):
        session.identity.delete_connection(id=session.tenant())
    with raises(HTTPStatusException, 404):
        session.identity.delete_connection(id=str(uuid.uuid4()))


@point
def the_app_itself_gets_a_token(session: Session) -> None:
    with session.using({}):
        assert session.client.configuration.oauth2_token.get_client_credentials_access_token(session.client, False)
        equal(session.token["scope"], "app.connections")
        equal(len(session.identity.get_connections()), len(CONNECTED))


@point
def a_revocation_ends_all_connections(session: Session) -> None:
    session.connect(BAKERY)
    session.identity.get_connections()
    assert session.client.configuration.oauth2_token.revoke_access_token(session.client)
    equal(control("GET", "connections")["connections"], [])
