"""Probes of the functions with pages: link, oauth_callback, portal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from feedlane.companies import connection_limit
from feedlane.companies.connection import Connection
from feedlane.companies.organisations import Organisation
from feedlane.ids import new_id
from feedlane.link.choice import OrganisationChoice
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.store import keys
from feedlane.web import sessions
from feedlane.web.cookies import PORTAL, link_cookie_name
from feedlane.web.sessions import LINK_SESSION_LIFETIME, PORTAL_SESSION_LIFETIME, LinkSession, PortalSession, form_token
from local.instance import Instance
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import Given, given

# link


def shows_a_company(instance: Instance) -> None:
    own = given(instance)
    own.functions.page("link", "GET", f"/link/company/{own.company.id}")


def starts_linking(instance: Instance) -> None:
    own = given(instance)
    _start(own, own.connection())


def starts_linking_when_the_limit_seems_reached(instance: Instance) -> None:
    """The count is wrong: it is counted anew, and corrected."""
    own = given(instance)
    with _limit_seems_reached(own):
        _start(own, own.connection())


def shows_the_accounts_to_map(instance: Instance) -> None:
    """Asks the vault for an access token, and says that there is none."""
    own = given(instance)
    connection = own.linked()
    own.account(connection)
    own.functions.page("link", "GET", f"{_link(connection)}/accounts", cookies=_customer(own, connection))


def a_chosen_organisation_releases_what_waited(instance: Instance) -> None:
    own = given(instance)
    tenant = own.demo_tenant
    granted = own.grant(tenant)
    organisation = Organisation(tenant_id=tenant, name="Probe Ltd", xero_connection_id=new_id())
    choice = OrganisationChoice(
        token_set_id=granted["token_set_id"],
        authentication_event_id=granted["authentication_event_id"],
        scopes=tuple(granted["scopes"]),
        organisations=(organisation,),
    )
    connection = own.connection()
    with own.hold(own.feed(connection, lines=1), Scope.CONNECTION):
        cookies = _customer(own, connection, choice)
        form = {"tenantId": tenant, "formToken": token_for(cookies)}
        _moves_on(own.functions.page("link", "POST", f"{_link(connection)}/organisation", form=form, cookies=cookies))


# oauth_callback


def meets_an_unknown_state(instance: Instance) -> None:
    given(instance).functions.page("oauth_callback", "GET", "/oauth/callback", {"state": new_id(), "code": "probe"})


def is_told_of_a_cancelled_consent(instance: Instance) -> None:
    own = given(instance)
    _call_back(own, own.connection(), error="access_denied")


def is_given_a_code_that_xero_does_not_know(instance: Instance) -> None:
    own = given(instance)
    _call_back(own, own.connection(), code="probe")


def links_when_the_limit_seems_reached(instance: Instance) -> None:
    """The count is wrong: it is counted anew, and corrected."""
    own = given(instance)
    code, connection = own.code(own.tenant), own.connection()
    try:
        with _limit_seems_reached(own):
            _moves_on(_call_back(own, connection, code=code))
    finally:
        own.store.table.delete_many([keys.connection(connection.company_id, connection.id)])
        connection_limit.recount(own.store)


def a_customer_who_is_back_releases_what_waited(instance: Instance) -> None:
    own = given(instance)
    connection = own.connection()
    with own.hold(own.feed(connection, lines=1), Scope.CONNECTION):
        _moves_on(_call_back(own, connection, code=own.code(own.demo_tenant)))


# portal


def shows_the_way_in(instance: Instance) -> None:
    given(instance).functions.page("portal", "GET", "/portal/sign-in")


def lets_an_operator_in(instance: Instance) -> None:
    key = instance.read_description()["apiKey"]
    _moves_on(given(instance).functions.page("portal", "POST", "/portal/sign-in", form={"key": key}))


def shows_the_overview(instance: Instance) -> None:
    own = given(instance)
    own.functions.page("portal", "GET", "/portal", cookies=operator(own))


def stores_the_apps_keys(instance: Instance) -> None:
    own = given(instance)
    cookies = operator(own)
    form = {
        "enabled": "yes",
        "client_id": DEFAULT_CLIENT_ID,
        "client_secret": DEFAULT_CLIENT_SECRET,
        "formToken": token_for(cookies),
    }
    _moves_on(own.functions.page("portal", "POST", "/portal/settings/app", form=form, cookies=cookies))


def releases_a_hold(instance: Instance) -> None:
    own = given(instance)
    cookies = operator(own)
    with own.hold(own.feed(own.linked(), lines=1, feed_connection_id=new_id())) as hold:
        form = {"hold": hold.id, "confirmed": "yes", "formToken": token_for(cookies)}
        _moves_on(own.functions.page("portal", "POST", "/portal/holds/release", form=form, cookies=cookies))


def _start(own: Given, connection: Connection) -> None:
    _moves_on(own.functions.page("link", "GET", f"{_link(connection)}/start"))


def _link(connection: Connection) -> str:
    return f"/link/companies/{connection.company_id}/connections/{connection.id}"


def _call_back(own: Given, connection: Connection, **query: str) -> dict[str, Any]:
    state, cookies = own.flow(connection)
    return own.functions.page("oauth_callback", "GET", "/oauth/callback", {"state": state, **query}, cookies=cookies)


def _moves_on(answer: dict[str, Any]) -> None:
    if answer["statusCode"] not in (302, 303):
        raise Failed(f"answered {answer['statusCode']} instead of going on: {answer['body'][:2000]}")


def _customer(own: Given, connection: Connection, choice: OrganisationChoice | None = None) -> dict[str, str]:
    """The cookie of a customer who has come back from Xero."""
    secret = new_id()
    session = LinkSession(company_id=connection.company_id, connection_id=connection.id, choice=choice)
    own.store.commit(sessions.put_session(secret, session, own.now, LINK_SESSION_LIFETIME))
    return own.cookie(link_cookie_name(connection.id), secret)


def operator(own: Given) -> dict[str, str]:
    """The cookie of somebody who has signed in to the portal."""
    secret = new_id()
    session = PortalSession(key_fingerprint=own.api_key_fingerprint, key_name="local")
    own.store.commit(sessions.put_session(secret, session, own.now, PORTAL_SESSION_LIFETIME))
    return own.cookie(PORTAL, secret)


def token_for(cookies: dict[str, str]) -> str:
    """The form token of the session that this one cookie is for."""
    [secret] = cookies.values()
    return form_token(secret)


@contextmanager
def _limit_seems_reached(own: Given) -> Iterator[None]:
    pk, sk = keys.LINKED_COUNT
    wrong = limit_of(settings_items.settings(own.store))
    own.store.table.put_many([{"pk": pk, "sk": sk, "count": wrong, "mark": new_id(), "reported": 0}])
    # Another probe may have had it counted within the last minutes.
    own.store.table.delete_many([keys.RECOUNT])
    try:
        yield
    finally:
        connection_limit.recount(own.store)
