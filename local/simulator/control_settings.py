"""What can be set under `/_simulator/`. Every setter answers with what now holds."""

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
MOST_SECRETS = 2


def add_organisation(sim: Simulator, body: Any) -> Any:
    asked = Fields(body, (*ORGANISATION_SWITCHES, "tenantId", "country", "currency", "demo", "accounts"))
    currency = _code(asked, "currency", 3)
    demo = asked.flag("demo", False)
    accounts = asked.raw("accounts") or []
    if not isinstance(accounts, list):
        raise asked.error("accounts", "must be a list")
    one = new_organisation(
        asked.text("name"),
        _code(asked, "country", 2),
        currency,
        tenant_id=_guid(asked, "tenantId") if asked.has("tenantId") else None,
        demo=demo,
        bank_feeds=asked.flag("bankFeeds", not demo),
        accounts=[_account(each, index, currency) for index, each in enumerate(accounts)],
    )
    sim.organisations[one.tenant_id] = _switched(one, asked)
    return views.organisation(sim.organisations[one.tenant_id])


def change_organisation(sim: Simulator, tenant_id: str, body: Any) -> Any:
    one = sim.organisations.get(tenant_id.lower())
    if one is None:
        raise ControlError("tenantId", "no such organisation", status=404)
    sim.organisations[one.tenant_id] = _switched(one, Fields(body, ORGANISATION_SWITCHES))
    return views.organisation(sim.organisations[one.tenant_id])


def set_consent(sim: Simulator, body: Any) -> Any:
    asked = Fields(body, ("mode", "tenantIds", "userId"))
    consent = sim.consent
    mode = asked.one_of("mode", CONSENT_MODES, consent.mode)
    tenant_ids = [one.lower() for one in asked.texts("tenantIds", consent.tenant_ids)]
    for one in tenant_ids:
        if one not in sim.organisations:
            raise asked.error("tenantIds", f"no organisation {one}")
    user_id = _guid(asked, "userId") if asked.has("userId") else consent.user_id
    consent.mode, consent.tenant_ids, consent.user_id = mode, tenant_ids, user_id  # type: ignore[assignment]
    return views.consent(sim)


def set_app(sim: Simulator, body: Any) -> Any:
    asked = Fields(body, views.app(sim))
    app = sim.app
    secrets = asked.texts("clientSecrets", app.client_secrets)
    if not 1 <= len(secrets) <= MOST_SECRETS:
        raise asked.error("clientSecrets", f"an app has 1 to {MOST_SECRETS} secrets")
    sim.app = replace(
        app,
        client_id=asked.text("clientId", app.client_id),
        name=asked.text("name", app.name),
        client_secrets=secrets,
        redirect_uris=asked.texts("redirectUris", app.redirect_uris),
        allowed_scopes=set(asked.texts("allowedScopes", app.allowed_scopes)),
        grant_types=set(asked.texts("grantTypes", app.grant_types)),
        connection_limit=_limit(asked, app.connection_limit),
        limit_stops_reauthorisation=asked.flag("limitStopsReauthorisation", app.limit_stops_reauthorisation),
        certified=asked.flag("certified", app.certified),
        bank_feeds_enabled=asked.flag("bankFeedsEnabled", app.bank_feeds_enabled),
        suspended=asked.flag("suspended", app.suspended),
        multi_region=asked.flag("multiRegion", app.multi_region),
    )
    return views.app(sim)


def set_timing(sim: Simulator, body: Any) -> Any:
    asked = Fields(body, views.timing(sim))
    timing = sim.timing
    sim.timing = Timing(
        statement_seconds=asked.seconds("statementSeconds", timing.statement_seconds),
        feed_connection_seconds=asked.seconds("feedConnectionSeconds", timing.feed_connection_seconds),
        response_seconds=asked.seconds("responseSeconds", timing.response_seconds),
    )
    return views.timing(sim)


def set_limits(sim: Simulator, body: Any) -> Any:
    asked = Fields(body, views.limits(sim))
    allowed = sim.limits.allowances
    sim.limits.allowances = Allowances(
        tenant_minute=asked.whole("tenantMinute", allowed.tenant_minute),
        tenant_day=asked.whole("tenantDay", allowed.tenant_day),
        tenant_concurrent=asked.whole("tenantConcurrent", allowed.tenant_concurrent),
        app_minute=asked.whole("appMinute", allowed.app_minute),
        statements_minute=asked.whole("statementsMinute", allowed.statements_minute),
    )
    return views.limits(sim)


def set_behaviour(sim: Simulator, body: Any) -> Any:
    """The switches of `Behaviour`, by their names in camel case; their types name the choices."""
    asked = Fields(body, views.behaviour(sim))
    changed = {}
    for switch in fields(Behaviour):
        name = _camel(switch.name)
        held = getattr(sim.behaviour, switch.name)
        choices = (True, False) if switch.type is bool else get_args(switch.type)
        changed[switch.name] = asked.one_of(name, choices, held)
    sim.behaviour = Behaviour(**changed)
    return views.behaviour(sim)


def advance_clock(sim: Simulator, body: Any) -> Any:
    sim.clock.advance(Fields(body, ("advanceSeconds",)).seconds("advanceSeconds"))
    return views.clock(sim)


def remove_connection(sim: Simulator, connection_id: str, _body: Any) -> Any:
    """The organisation's user disconnects the app inside Xero. Takes a connection id or a tenant id."""
    wanted = connection_id.lower()
    found = [one for one in sim.live_connections() if wanted in (one.id, one.tenant_id)]
    if not found:
        raise ControlError("id", "no such connection", status=404)
    for one in found:
        one.removed = True
    return views.connections(sim)


def remove_feed_connection(sim: Simulator, feed_connection_id: str, _body: Any) -> Any:
    """The organisation's user ends the feed inside Xero, at once."""
    feed = sim.feed_connections.get(feed_connection_id.lower())
    if feed is None or feed.is_deleted(sim.now()):
        raise ControlError("id", "no such feed connection", status=404)
    feed.deleted_from = sim.now()
    return views.feed_connections(sim)


def _switched(one: Organisation, asked: Fields) -> Organisation:
    """The organisation with its switches as asked; nothing changes when one of them is wrong."""
    time_zone = asked.text("timeZone", one.time_zone)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise asked.error("timeZone", "is not a known time zone such as Europe/London") from None
    return replace(
        one,
        name=asked.text("name", one.name),
        bank_feeds=asked.flag("bankFeeds", one.bank_feeds),
        feed_connections_allowed=asked.flag("feedConnectionsAllowed", one.feed_connections_allowed),
        currencies=asked.texts("currencies", one.currencies),
        uncertified_apps=asked.whole("uncertifiedApps", one.uncertified_apps),
        time_zone=time_zone,
    )


def _limit(asked: Fields, otherwise: int | None) -> int | None:
    """A null is no limit at all, which is not the same as an absent field."""
    if not asked.names("connectionLimit"):
        return otherwise
    return asked.whole("connectionLimit") if asked.has("connectionLimit") else None


def _account(body: Any, index: int, currency: str) -> Account:
    asked = Fields(body, ("accountId", "name", "code", "type", "number", "currency"), f"accounts[{index}].")
    return Account(
        account_id=_guid(asked, "accountId") if asked.has("accountId") else new_id(),
        name=asked.text("name"),
        code=asked.text("code", f"{90 + index:03}"),
        number=asked.text("number"),
        currency=_code(asked, "currency", 3, currency),
        bank_type=asked.one_of("type", ("BANK", "CREDITCARD", "PAYPAL"), "BANK"),
    )


def _code(asked: Fields, name: str, length: int, otherwise: str | None = None) -> str:
    value = asked.text(name, otherwise)
    if len(value) != length or not value.isalpha() or not value.isupper():
        raise asked.error(name, f"must be a code of {length} capital letters")
    return value


def _guid(asked: Fields, name: str) -> str:
    try:
        return str(uuid.UUID(asked.text(name)))
    except ValueError:
        raise asked.error(name, "must be a guid") from None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)
