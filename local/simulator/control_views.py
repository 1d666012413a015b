"""The views under `/_simulator/`. They never show a token."""

from datetime import datetime
from typing import Any

from local.simulator.behaviour import positions
from local.simulator.clock import plain_timestamp
from local.simulator.connections import render as render_connection
from local.simulator.feed_connections import render as render_feed_connection
from local.simulator.organisations import Organisation
from local.simulator.state import FeedConnection, Simulator, Statement


def health(sim: Simulator) -> dict[str, Any]:
    return {"status": "ok", "time": plain_timestamp(sim.now())}


def organisation(org: Organisation) -> dict[str, Any]:
    return {
        "tenantId": org.tenant_id,
        "name": org.name,
        "country": org.country,
        "currency": org.currency,
        "currencies": org.currencies,
        "timeZone": org.time_zone,
        "demo": org.demo,
        "bankFeeds": org.bank_feeds,
        "feedConnectionsAllowed": org.feed_connections_allowed,
        "uncertifiedApps": org.uncertified_apps,
        "plan": org.plan,
        "tenantType": org.tenant_type,
        "roles": org.roles,
        "accounts": [
            {
                "accountId": account.account_id,
                "name": account.name,
                "code": account.code,
                "type": account.bank_type,
                "number": account.number,
                "currency": account.currency,
                "archived": not account.active,
            }
            for account in org.accounts
            if account.bank_type is not None and not account.deleted
        ],
    }


def organisations(sim: Simulator) -> dict[str, Any]:
    return {"orgs": [organisation(org) for org in sim.organisations.values()]}


def consent(sim: Simulator) -> dict[str, Any]:
    return {"mode": sim.consent.mode, "tenantIds": sim.consent.tenant_ids, "userId": sim.consent.user_id}


def app(sim: Simulator) -> dict[str, Any]:
    settings = sim.app
    return {
        "clientId": settings.client_id,
        "name": settings.name,
        "companyUrl": settings.company_url,
        "clientSecrets": settings.client_secrets,
        "redirectUris": settings.redirect_uris,
        "allowedScopes": sorted(settings.allowed_scopes),
        "grantTypes": sorted(settings.grant_types),
        "connectionLimit": settings.connection_limit,
        "limitStopsReauthorisation": settings.limit_stops_reauthorisation,
        "certified": settings.certified,
        "bankFeedsEnabled": settings.bank_feeds_enabled,
        "feedConnections2Enabled": settings.feed_connections_2_enabled,
        "suspended": settings.suspended,
        "multiRegion": settings.multi_region,
    }


def timing(sim: Simulator) -> dict[str, Any]:
    return {
        "statementSeconds": sim.timing.statement_seconds,
        "feedConnectionSeconds": sim.timing.feed_connection_seconds,
        "responseSeconds": sim.timing.response_seconds,
    }


def limits(sim: Simulator) -> dict[str, Any]:
    allowances = sim.limits.allowances
    return {
        "tenantMinute": allowances.tenant_minute,
        "tenantDay": allowances.tenant_day,
        "tenantConcurrent": allowances.tenant_concurrent,
        "appMinute": allowances.app_minute,
        "statementsMinute": allowances.statements_minute,
    }


def behaviour(sim: Simulator) -> dict[str, Any]:
    return sim.behaviour.model_dump(by_alias=True)


def behaviour_switches(sim: Simulator) -> dict[str, Any]:
    """Each switch with its positions, the default first, and what is unknown."""
    switches = type(sim.behaviour)
    return {
        "switches": [
            {"name": field.alias, "positions": positions(name, switches), "about": field.description}
            for name, field in switches.model_fields.items()
        ]
    }


def clock(sim: Simulator) -> dict[str, Any]:
    return {"now": plain_timestamp(sim.now()), "advancedSeconds": sim.clock.advanced_seconds}


def faults(sim: Simulator) -> dict[str, Any]:
    return {
        "faults": [
            {
                "id": fault.id,
                "match": {"method": fault.method, "path": fault.path, "tenantId": fault.tenant_id},
                "fault": fault.kind,
                "when": fault.when,
                "status": fault.status,
                "problem": fault.problem,
                "shape": fault.shape,
                "headers": fault.headers,
                "seconds": fault.seconds,
                "limit": fault.limit,
                "content": fault.content,
                "times": fault.times,
            }
            for fault in sim.faults.active
        ]
    }


def statements(sim: Simulator) -> dict[str, Any]:
    now = sim.now()
    return {"statements": [_statement(sim, statement, now) for statement in sim.statements.values()]}


def ledgers(sim: Simulator) -> dict[str, Any]:
    """Per feed connection, the lines that Xero's users see: delivered, in order, without the dropped ones."""
    now = sim.now()
    lines: dict[str, list[dict[str, Any]]] = {feed_id: [] for feed_id in sim.feed_connections}
    # Statements settle in the order received, unless the timing was changed. Sorting is stable.
    for statement in sorted(sim.statements.values(), key=lambda statement: statement.settles_at):
        if statement.status(now) == "DELIVERED":
            lines[statement.feed_connection_id] += [
                {**line, "statementId": statement.id} for line, dropped in _lines(statement) if not dropped
            ]
    return {
        "ledgers": [
            {
                "feedConnectionId": feed.id,
                "tenantId": feed.tenant_id,
                "accountToken": feed.account_token,
                "accountName": feed.account_name,
                "lines": lines[feed.id],
            }
            for feed in sim.feed_connections.values()
        ]
    }


def calls(sim: Simulator) -> dict[str, Any]:
    return {
        "calls": [
            {
                "time": plain_timestamp(call.time),
                "method": call.method,
                "path": call.path,
                "tenant": call.tenant,
                "status": call.status,
                "durationMs": call.duration_ms,
                "dropped": call.dropped,
            }
            for call in sim.calls
        ]
    }


def connections(sim: Simulator) -> dict[str, Any]:
    return {
        "connections": [
            {**render_connection(sim, connection), "userId": connection.user_id, "clientId": connection.client_id}
            for connection in sim.live_connections()
        ]
    }


def feed_connections(sim: Simulator) -> dict[str, Any]:
    now = sim.now()
    live = [feed for feed in sim.feed_connections.values() if not feed.is_deleted(now)]
    return {"feedConnections": [{**render_feed_connection(sim, feed), "tenantId": feed.tenant_id} for feed in live]}


def _statement(sim: Simulator, statement: Statement, now: datetime) -> dict[str, Any]:
    feed: FeedConnection = sim.feed_connections[statement.feed_connection_id]
    status = statement.status(now)
    return {
        "id": statement.id,
        "tenantId": statement.tenant_id,
        "feedConnectionId": statement.feed_connection_id,
        "accountToken": feed.account_token,
        "accountName": feed.account_name,
        "startDate": statement.start_date.isoformat(),
        "endDate": statement.end_date.isoformat(),
        "startBalance": statement.received["startBalance"],
        "endBalance": statement.received["endBalance"],
        "lines": [{**line, "dropped": dropped} for line, dropped in _lines(statement)],
        "status": status,
        "errors": statement.errors if status == "REJECTED" else [],
        "receivedAt": plain_timestamp(statement.received_at),
        "deliveredAt": plain_timestamp(statement.settles_at) if status == "DELIVERED" else None,
    }


def _lines(statement: Statement) -> list[tuple[dict[str, Any], bool]]:
    return list(zip(statement.received["statementLines"], statement.dropped, strict=True))
