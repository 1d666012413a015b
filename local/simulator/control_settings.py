"""The settings under `/_simulator/`. Every setter answers the new state."""

import uuid
from dataclasses import fields, replace
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.simulator import control_views as views
from local.simulator.control_fields import ControlError, Fields
from local.simulator.limits import Allowances
from local.simulator.organisations import Account, Organisation, new_id, new_organisation
from local.simulator.state import Behaviour, Simulator, Timing

ORGANISATION_SWITCHES = (
    "name", "bankFeeds", "feedConnectionsAllowed", "currencies", "timeZone", "uncertifiedApps",
)  # fmt: skip
CONSENT_MODES = ("auto", "page", "deny")
SECRETS_MAX = 2


def add_organisation(sim: Simulator, body: Any) -> Any:
    given = Fields(body, (*ORGANISATION_SWITCHES, "tenantId", "country", "currency", "demo", "accounts"))
    currency = _code(given, "currency", 3)
    demo = given.flag("demo", False)
    accounts = given.raw("accounts") or []
    if not isinstance(accounts, list):
        raise given.error("accounts", "must be a list")
    organisation = new_organisation(
        given.text("name"),
        _code(given, "country", 2),
        currency,
        tenant_id=_guid(given, "tenantId") if given.has("tenantId") else None,
        demo=demo,
        bank_feeds=given.flag("bankFeeds", not demo),
        accounts=[_account(account, index, currency) for index, account in enumerate(accounts)],
    )
    sim.organisations[organisation.tenant_id] = _with_switches(organisation, given)
    return views.organisation(sim.organisations[organisation.tenant_id])


def change_organisation(sim: Simulator, tenant_id: str, body: Any) -> Any:
    organisation = sim.organisations.get(tenant_id.lower())
    if organisation is None:
        raise ControlError("tenantId", "no such organisation", status=404)
    sim.organisations[organisation.tenant_id] = _with_switches(organisation, Fields(body, ORGANISATION_SWITCHES))
    return views.organisation(sim.organisations[organisation.tenant_id])


def set_consent(sim: Simulator, body: Any) -> Any:
    given = Fields(body, ("mode", "tenantIds", "userId"))
    consent = sim.consent
    mode = given.one_of("mode", CONSENT_MODES, consent.mode)
    tenant_ids = [tenant_id.lower() for tenant_id in given.texts("tenantIds", consent.tenant_ids)]
    for tenant_id in tenant_ids:
        if tenant_id not in sim.organisations:
            raise given.error("tenantIds", f"no organisation has the id {tenant_id}")
    user_id = _guid(given, "userId") if given.has("userId") else consent.user_id
    consent.mode, consent.tenant_ids, consent.user_id = mode, tenant_ids, user_id  # type: ignore[assignment]
    return views.consent(sim)


def set_app(sim: Simulator, body: Any) -> Any:
    given = Fields(body, views.app(sim))
    app = sim.app
    secrets = given.texts("clientSecrets", app.client_secrets)
    if not 1 <= len(secrets) <= SECRETS_MAX:
        raise given.error("clientSecrets", f"must have 1 to {SECRETS_MAX} secrets")
    sim.app = replace(
        app,
        client_id=given.text("clientId", app.client_id),
        name=given.text("name", app.name),
        client_secrets=secrets,
        redirect_uris=given.texts("redirectUris", app.redirect_uris),
        allowed_scopes=set(given.texts("allowedScopes", app.allowed_scopes)),
        grant_types=set(given.texts("grantTypes", app.grant_types)),
        connection_limit=_limit(given, app.connection_limit),
        limit_stops_reauthorisation=given.flag("limitStopsReauthorisation", app.limit_stops_reauthorisation),
        certified=given.flag("certified", app.certified),
        bank_feeds_enabled=given.flag("bankFeedsEnabled", app.bank_feeds_enabled),
        suspended=given.flag("suspended", app.suspended),
        multi_region=given.flag("multiRegion", app.multi_region),
    )
    return views.app(sim)


def set_timing(sim: Simulator, body: Any) -> Any:
    given = Fields(body, views.timing(sim))
    timing = sim.timing
    sim.timing = Timing(
        statement_seconds=given.seconds("statementSeconds", timing.statement_seconds),
        feed_connection_seconds=given.seconds("feedConnectionSeconds", timing.feed_connection_seconds),
        response_seconds=given.seconds("responseSeconds", timing.response_seconds),
    )
    return views.timing(sim)


def set_limits(sim: Simulator, body: Any) -> Any:
    given = Fields(body, views.limits(sim))
    allowances = sim.limits.allowances
    sim.limits.allowances = Allowances(
        tenant_minute=given.whole("tenantMinute", allowances.tenant_minute),
        tenant_day=given.whole("tenantDay", allowances.tenant_day),
        tenant_concurrent=given.whole("tenantConcurrent", allowances.tenant_concurrent),
        app_minute=given.whole("appMinute", allowances.app_minute),
        statements_minute=given.whole("statementsMinute", allowances.statements_minute),
    )
    return views.limits(sim)


def set_behaviour(sim: Simulator, body: Any) -> Any:
    """Sets the switches of `Behaviour`, named in camel case; their types define the choices."""
    given = Fields(body, views.behaviour(sim))
    changed = {}
    for switch in fields(Behaviour):
        name = _camel(switch.name)
        current = getattr(sim.behaviour, switch.name)
        choices = (True, False) if switch.type is bool else get_args(switch.type)
        changed[switch.name] = given.one_of(name, choices, current)
    sim.behaviour = Behaviour(**changed)
    return views.behaviour(sim)


def advance_clock(sim: Simulator, body: Any) -> Any:
    sim.clock.advance(Fields(body, ("advanceSeconds",)).seconds("advanceSeconds"))
    return views.clock(sim)


def remove_connection(sim: Simulator, connection_id: str, _body: Any) -> Any:
    """Disconnects the app, as the organisation's user does in Xero. Takes a connection id or a tenant id."""
    wanted = connection_id.lower()
    connections = [
        connection for connection in sim.live_connections() if wanted in (connection.id, connection.tenant_id)
    ]
    if not connections:
        raise ControlError("id", "no such connection", status=404)
    for connection in connections:
        connection.removed = True
    return views.connections(sim)


def remove_feed_connection(sim: Simulator, feed_connection_id: str, _body: Any) -> Any:
    """Ends the feed at once, as the organisation's user does in Xero."""
    feed = sim.feed_connections.get(feed_connection_id.lower())
    if feed is None or feed.is_deleted(sim.now()):
        raise ControlError("id", "no such feed connection", status=404)
    feed.deleted_from = sim.now()
    return views.feed_connections(sim)


def _with_switches(organisation: Organisation, given: Fields) -> Organisation:
    """The organisation with the requested switches. If one of them is wrong, none changes."""
    time_zone = given.text("timeZone", organisation.time_zone)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise given.error("timeZone", "must be a known time zone, such as Europe/London") from None
    return replace(
        organisation,
        name=given.text("name", organisation.name),
        bank_feeds=given.flag("bankFeeds", organisation.bank_feeds),
        feed_connections_allowed=given.flag("feedConnectionsAllowed", organisation.feed_connections_allowed),
        currencies=given.texts("currencies", organisation.currencies),
        uncertified_apps=given.whole("uncertifiedApps", organisation.uncertified_apps),
        time_zone=time_zone,
    )


def _limit(given: Fields, default: int | None) -> int | None:
    """Null removes the limit; an absent field leaves it as it is."""
    if not given.mentions("connectionLimit"):
        return default
    return given.whole("connectionLimit") if given.has("connectionLimit") else None


def _account(body: Any, index: int, currency: str) -> Account:
    given = Fields(body, ("accountId", "name", "code", "type", "number", "currency"), f"accounts[{index}].")
    return Account(
        account_id=_guid(given, "accountId") if given.has("accountId") else new_id(),
        name=given.text("name"),
        code=given.text("code", f"{90 + index:03}"),
        number=given.text("number"),
        currency=_code(given, "currency", 3, currency),
        bank_type=given.one_of("type", ("BANK", "CREDITCARD", "PAYPAL"), "BANK"),
    )


def _code(given: Fields, name: str, length: int, default: str | None = None) -> str:
    value = given.text(name, default)
    if len(value) != length or not value.isalpha() or not value.isupper():
        raise given.error(name, f"must be a code of {length} capital letters")
    return value


def _guid(given: Fields, name: str) -> str:
    try:
        return str(uuid.UUID(given.text(name)))
    except ValueError:
        raise given.error(name, "must be a guid") from None


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
