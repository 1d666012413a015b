"""What can be looked at under `/_simulator/`. Never a token."""

from datetime import datetime
from typing import Any

from local.simulator.clock import plain_timestamp
from local.simulator.connections import render as render_connection
from local.simulator.feed_connections import render as render_feed_connection
from local.simulator.organisations import Organisation
from local.simulator.state import FeedConnection, Simulator, Statement


def health(sim: Simulator) -> dict[str, Any]:
    return {"status": "ok", "time": plain_timestamp(sim.now())}


def organisation(one: Organisation) -> dict[str, Any]:
    return {
        "tenantId": one.tenant_id,
        "name": one.name,
        "country": one.country,
        "currency": one.currency,
        "currencies": one.currencies,
        "timeZone": one.time_zone,
        "demo": one.demo,
        "bankFeeds": one.bank_feeds,
        "feedConnectionsAllowed": one.feed_connections_allowed,
        "uncertifiedApps": one.uncertified_apps,
        "accounts": [
            {
                "accountId": account.account_id,
                "name": account.name,
                "code": account.code,
                "type": account.bank_type,
                "number": account.number,
                "currency": account.currency,
            }
            for account in one.accounts
            if account.bank_type is not None
        ],
    }


def organisations(sim: Simulator) -> dict[str, Any]:
    return {"orgs": [organisation(one) for one in sim.organisations.values()]}


def consent(sim: Simulator) -> dict[str, Any]:
    return {"mode": sim.consent.mode, "tenantIds": sim.consent.tenant_ids, "userId": sim.consent.user_id}


def app(sim: Simulator) -> dict[str, Any]:
    one = sim.app
    return {
        "clientId": one.client_id,
        "name": one.name,
        "clientSecrets": one.client_secrets,
        "redirectUris": one.redirect_uris,
        "allowedScopes": sorted(one.allowed_scopes),
        "grantTypes": sorted(one.grant_types),
        "connectionLimit": one.connection_limit,
        "limitStopsReauthorisation": one.limit_stops_reauthorisation,
        "certified": one.certified,
        "bankFeedsEnabled": one.bank_feeds_enabled,
        "suspended": one.suspended,
        "multiRegion": one.multi_region,
    }


def timing(sim: Simulator) -> dict[str, Any]:
    return {
        "statementSeconds": sim.timing.statement_seconds,
        "feedConnectionSeconds": sim.timing.feed_connection_seconds,
        "responseSeconds": sim.timing.response_seconds,
    }


def limits(sim: Simulator) -> dict[str, Any]:
    allowed = sim.limits.allowances
    return {
        "tenantMinute": allowed.tenant_minute,
        "tenantDay": allowed.tenant_day,
        "tenantConcurrent": allowed.tenant_concurrent,
        "appMinute": allowed.app_minute,
        "statementsMinute": allowed.statements_minute,
    }


def behaviour(sim: Simulator) -> dict[str, Any]:
    one = sim.behaviour
    return {
        "graceReplay": one.grace_replay,
        "refreshEndsAccessToken": one.refresh_ends_access_token,
        "amounts": one.amounts,
        "signedAmounts": one.signed_amounts,
        "order": one.order,
        "rejections": one.rejections,
    }


def clock(sim: Simulator) -> dict[str, Any]:
    return {"now": plain_timestamp(sim.now()), "advancedSeconds": sim.clock.advanced_seconds}


def faults(sim: Simulator) -> dict[str, Any]:
    return {
        "faults": [
            {
                "id": one.id,
                "match": {"method": one.method, "path": one.path, "tenantId": one.tenant_id},
                "fault": one.kind,
                "when": one.when,
                "status": one.status,
                "problem": one.problem,
                "shape": one.shape,
                "headers": one.headers,
                "seconds": one.seconds,
                "limit": one.limit,
                "times": one.times,
            }
            for one in sim.faults.standing
        ]
    }


def statements(sim: Simulator) -> dict[str, Any]:
    now = sim.now()
    return {"statements": [_statement(sim, one, now) for one in sim.statements.values()]}


def ledgers(sim: Simulator) -> dict[str, Any]:
    """Per feed connection, the lines Xero's users see: delivered, in that order, without dropped ones."""
    now = sim.now()
    lines: dict[str, list[dict[str, Any]]] = {one: [] for one in sim.feed_connections}
    # Statements settle in the order received unless the timing changed between them; sorting is stable.
    for one in sorted(sim.statements.values(), key=lambda one: one.settles_at):
        if one.status(now) == "DELIVERED":
            lines[one.feed_connection_id] += [
                {**line, "statementId": one.id} for line, dropped in _lines(one) if not dropped
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
                "time": plain_timestamp(one.time),
                "method": one.method,
                "path": one.path,
                "tenant": one.tenant,
                "status": one.status,
                "durationMs": one.duration_ms,
                "dropped": one.dropped,
            }
            for one in sim.calls
        ]
    }


def connections(sim: Simulator) -> dict[str, Any]:
    return {
        "connections": [
            {**render_connection(sim, one), "userId": one.user_id, "clientId": one.client_id}
            for one in sim.live_connections()
        ]
    }


def feed_connections(sim: Simulator) -> dict[str, Any]:
    now = sim.now()
    live = [one for one in sim.feed_connections.values() if not one.is_deleted(now)]
    return {"feedConnections": [{**render_feed_connection(sim, one), "tenantId": one.tenant_id} for one in live]}


def _statement(sim: Simulator, one: Statement, now: datetime) -> dict[str, Any]:
    feed: FeedConnection = sim.feed_connections[one.feed_connection_id]
    status = one.status(now)
    return {
        "id": one.id,
        "tenantId": one.tenant_id,
        "feedConnectionId": one.feed_connection_id,
        "accountToken": feed.account_token,
        "accountName": feed.account_name,
        "startDate": one.start_date.isoformat(),
        "endDate": one.end_date.isoformat(),
        "startBalance": one.received["startBalance"],
        "endBalance": one.received["endBalance"],
        "lines": [{**line, "dropped": dropped} for line, dropped in _lines(one)],
        "status": status,
        "errors": one.errors if status == "REJECTED" else [],
        "receivedAt": plain_timestamp(one.received_at),
        "deliveredAt": plain_timestamp(one.settles_at) if status == "DELIVERED" else None,
    }


def _lines(one: Statement) -> list[tuple[dict[str, Any], bool]]:
    return list(zip(one.received["statementLines"], one.dropped, strict=True))
