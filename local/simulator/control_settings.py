"""The settings under `/_simulator/`. Every setter answers the new state."""

import uuid
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from local.simulator import control_views as views
from local.simulator.control_fields import ControlError, Fields
from local.simulator.limits import Allowances
from local.simulator.organisations import Account, Organisation, new_id, new_organisation
from local.simulator.state import Simulator, Timing

ORGANISATION_SWITCHES = (
    "name", "country", "bankFeeds", "feedConnectionsAllowed", "currencies", "timeZone", "uncertifiedApps",
    "tenantType", "roles", "plan",
)  # fmt: skip
CONSENT_MODES = ("auto", "page", "deny")
SECRETS_MAX = 2


def add_organisation(sim: Simulator, body: Any) -> Any:
    settings = Fields(body, (*ORGANISATION_SWITCHES, "tenantId", "currency", "demo", "accounts"))
    currency = _code(settings, "currency", 3)
    demo = settings.flag("demo", False)
    accounts = settings.raw("accounts") or []
    if not isinstance(accounts, list):
        raise settings.error("accounts", "must be a list")
    organisation = new_organisation(
        settings.text("name"),
        _code(settings, "country", 2),
        currency,
        tenant_id=_guid(settings, "tenantId") if settings.has("tenantId") else None,
        demo=demo,
        bank_feeds=settings.flag("bankFeeds", not demo),
        accounts=[_account(account, index, currency) for index, account in enumerate(accounts)],
    )
    sim.organisations[organisation.tenant_id] = _with_switches(organisation, settings)
    return views.organisation(sim.organisations[organisation.tenant_id])


def change_organisation(sim: Simulator, tenant_id: str, body: Any) -> Any:
    organisation = sim.organisations.get(tenant_id.lower())
    if organisation is None:
        raise ControlError("tenantId", "no such organisation", status=404)
    sim.organisations[organisation.tenant_id] = _with_switches(organisation, Fields(body, ORGANISATION_SWITCHES))
    return views.organisation(sim.organisations[organisation.tenant_id])


def change_account(sim: Simulator, tenant_id: str, account_id: str, body: Any) -> Any:
    """Archives, restores or renames an account, as its user does in Xero."""
    organisation, account = _organisation_and_account(sim, tenant_id, account_id)
    settings = Fields(body, ("archived", "name", "number", "currency"))
    archived = settings.flag("archived", not account.active)
    name, number = settings.text("name", account.name), settings.text("number", account.number)
    currency = _code(settings, "currency", 3, account.currency)
    account.active, account.name, account.number, account.currency = not archived, name, number, currency
    return views.organisation(organisation)


def delete_account(sim: Simulator, tenant_id: str, account_id: str, _body: Any) -> Any:
    organisation, account = _organisation_and_account(sim, tenant_id, account_id)
    account.active, account.deleted = False, True
    return views.organisation(organisation)


def set_consent(sim: Simulator, body: Any) -> Any:
    settings = Fields(body, ("mode", "tenantIds", "userId"))
    consent = sim.consent
    mode = settings.one_of("mode", CONSENT_MODES, consent.mode)
    tenant_ids = [tenant_id.lower() for tenant_id in settings.texts("tenantIds", consent.tenant_ids)]
    for tenant_id in tenant_ids:
        if tenant_id not in sim.organisations:
            raise settings.error("tenantIds", f"no organisation has the id {tenant_id}")
    user_id = _guid(settings, "userId") if settings.has("userId") else consent.user_id
    consent.mode, consent.tenant_ids, consent.user_id = mode, tenant_ids, user_id  # type: ignore[assignment]
    return views.consent(sim)


def set_app(sim: Simulator, body: Any) -> Any:
    settings = Fields(body, views.app(sim))
    app = sim.app
    secrets = settings.texts("clientSecrets", app.client_secrets)
    if not 1 <= len(secrets) <= SECRETS_MAX:
        raise settings.error("clientSecrets", f"must have 1 to {SECRETS_MAX} secrets")
    sim.app = replace(
        app,
        client_id=settings.text("clientId", app.client_id),
        name=settings.text("name", app.name),
        company_url=settings.text("companyUrl", app.company_url),
        client_secrets=secrets,
        redirect_uris=settings.texts("redirectUris", app.redirect_uris),
        allowed_scopes=set(settings.texts("allowedScopes", app.allowed_scopes)),
        grant_types=set(settings.texts("grantTypes", app.grant_types)),
        connection_limit=_limit(settings, app.connection_limit),
        limit_stops_reauthorisation=settings.flag("limitStopsReauthorisation", app.limit_stops_reauthorisation),
        certified=settings.flag("certified", app.certified),
        bank_feeds_enabled=settings.flag("bankFeedsEnabled", app.bank_feeds_enabled),
        feed_connections_2_enabled=settings.flag("feedConnections2Enabled", app.feed_connections_2_enabled),
        suspended=settings.flag("suspended", app.suspended),
        multi_region=settings.flag("multiRegion", app.multi_region),
    )
    return views.app(sim)


def set_timing(sim: Simulator, body: Any) -> Any:
    settings = Fields(body, views.timing(sim))
    timing = sim.timing
    sim.timing = Timing(
        statement_seconds=settings.seconds("statementSeconds", timing.statement_seconds),
        feed_connection_seconds=settings.seconds("feedConnectionSeconds", timing.feed_connection_seconds),
        response_seconds=settings.seconds("responseSeconds", timing.response_seconds),
    )
    return views.timing(sim)


def set_limits(sim: Simulator, body: Any) -> Any:
    settings = Fields(body, views.limits(sim))
    allowances = sim.limits.allowances
    sim.limits.allowances = Allowances(
        tenant_minute=settings.whole("tenantMinute", allowances.tenant_minute),
        tenant_day=settings.whole("tenantDay", allowances.tenant_day),
        tenant_concurrent=settings.whole("tenantConcurrent", allowances.tenant_concurrent),
        app_minute=settings.whole("appMinute", allowances.app_minute),
        statements_minute=settings.whole("statementsMinute", allowances.statements_minute),
    )
    return views.limits(sim)


def set_behaviour(sim: Simulator, body: Any) -> Any:
    """Sets the switches of `Behaviour`, named in camel case. If one of them is wrong, none changes."""
    settings = Fields(body, views.behaviour(sim))
    wanted = {name: settings.raw(name) for name in views.behaviour(sim) if settings.has(name)}
    try:
        sim.behaviour = type(sim.behaviour).model_validate(sim.behaviour.model_dump(by_alias=True) | wanted)
    except ValidationError as error:
        (field, *_), reason = error.errors()[0]["loc"], error.errors()[0]["msg"]
        raise settings.error(str(field), reason) from None
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


def _with_switches(organisation: Organisation, settings: Fields) -> Organisation:
    """The organisation with the requested switches. If one of them is wrong, none changes."""
    time_zone = settings.text("timeZone", organisation.time_zone)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise settings.error("timeZone", "must be a known time zone, such as Europe/London") from None
    return replace(
        organisation,
        name=settings.text("name", organisation.name),
        bank_feeds=settings.flag("bankFeeds", organisation.bank_feeds),
        feed_connections_allowed=settings.flag("feedConnectionsAllowed", organisation.feed_connections_allowed),
        currencies=settings.texts("currencies", organisation.currencies),
        uncertified_apps=settings.whole("uncertifiedApps", organisation.uncertified_apps),
        plan=settings.text("plan", organisation.plan),
        tenant_type=settings.text("tenantType", organisation.tenant_type),
        roles=_roles(settings, organisation.roles),
        country=_code(settings, "country", 2, organisation.country),
        time_zone=time_zone,
    )


def _organisation_and_account(sim: Simulator, tenant_id: str, account_id: str) -> tuple[Organisation, Account]:
    organisation = sim.organisations.get(tenant_id.lower())
    account = organisation.account(account_id.lower()) if organisation else None
    if organisation is None or account is None or account.deleted:
        raise ControlError("accountId", "no such account", status=404)
    return organisation, account


def _roles(settings: Fields, default: dict[str, str]) -> dict[str, str]:
    roles = settings.raw("roles") if settings.has("roles") else default
    if not isinstance(roles, dict) or not all(isinstance(role, str) and role for role in roles.values()):
        raise settings.error("roles", "must be an object of user ids and roles")
    return dict(roles)


def _limit(settings: Fields, default: int | None) -> int | None:
    """Null removes the limit; an absent field leaves it as it is."""
    if not settings.mentions("connectionLimit"):
        return default
    return settings.whole("connectionLimit") if settings.has("connectionLimit") else None


def _account(body: Any, index: int, currency: str) -> Account:
    settings = Fields(body, ("accountId", "name", "code", "type", "number", "currency"), f"accounts[{index}].")
    return Account(
        account_id=_guid(settings, "accountId") if settings.has("accountId") else new_id(),
        name=settings.text("name"),
        code=settings.text("code", f"{90 + index:03}"),
        number=settings.text("number"),
        currency=_code(settings, "currency", 3, currency),
        bank_type=settings.one_of("type", ("BANK", "CREDITCARD", "PAYPAL"), "BANK"),
    )


def _code(settings: Fields, name: str, length: int, default: str | None = None) -> str:
    value = settings.text(name, default)
    if len(value) != length or not value.isalpha() or not value.isupper():
        raise settings.error(name, f"must be a code of {length} capital letters")
    return value


def _guid(settings: Fields, name: str) -> str:
    try:
        return str(uuid.UUID(settings.text(name)))
    except ValueError:
        raise settings.error(name, "must be a guid") from None
