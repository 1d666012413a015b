"""The views under `/_simulator/` that Xero's simulator has not."""

from typing import Any

from local.codat_simulator.client import integration_json, profile_json
from local.codat_simulator.consumers import consumer_json
from local.codat_simulator.records import ArrivedLine, LinkSettings
from local.codat_simulator.settling import settle
from local.codat_simulator.shapes import connection_json, operation_json
from local.codat_simulator.state import Codat, timestamp
from local.simulator.control_views import organisation

Json = dict[str, Any]


def organisations(sim: Codat) -> Json:
    return {"orgs": [organisation(org) for org in sim.organisations.values()]}


def timing(sim: Codat) -> Json:
    return {
        "pushSeconds": sim.timing.push_seconds,
        "mappingSeconds": sim.timing.mapping_seconds,
        "webhookSeconds": sim.timing.webhook_seconds,
        "webhookCopies": sim.timing.webhook_copies,
        "responseSeconds": sim.timing.response_seconds,
    }


def limits(sim: Codat) -> Json:
    allowed = sim.limits.allowances
    return {
        "day": allowed.day,
        "minute": allowed.minute,
        "concurrent": allowed.concurrent,
        "companies": allowed.companies,
    }


def link(sim: Codat) -> Json:
    settings: LinkSettings = sim.link
    return {
        "mode": settings.mode,
        "outcome": settings.outcome,
        "tenantId": settings.tenant_id,
        "maps": settings.maps,
    }


def profile(sim: Codat) -> Json:
    return profile_json(sim.profile)


def integration(sim: Codat) -> Json:
    return integration_json(sim)


def keys(sim: Codat) -> Json:
    return {"keys": [key.key for key in sim.api_keys]}


def outcomes(sim: Codat) -> Json:
    return {
        "outcomes": [
            {
                "status": outcome.status,
                "reason": outcome.reason,
                "statusCode": outcome.status_code,
                "seconds": outcome.seconds,
                "arrives": outcome.arrives,
                "errors": [finding.json() for finding in outcome.findings],
                "accountId": outcome.account_id,
                "times": outcome.times,
            }
            for outcome in sim.outcomes
        ]
    }


def connections(sim: Codat) -> Json:
    return {
        "connections": [
            {
                **connection_json(sim, connection),
                "companyId": connection.company_id,
                "tenantId": connection.tenant_id,
                "hasFeedScope": connection.has_feed_scope,
            }
            for connection in sim.connections.values()
        ]
    }


def consumers(sim: Codat) -> Json:
    """As Codat's portal shows them, with their secrets."""
    return {
        "consumers": [{**consumer_json(consumer), "secret": consumer.secret} for consumer in sim.consumers.values()]
    }


def messages(sim: Codat) -> Json:
    settle(sim)
    return {
        "messages": [
            {
                "id": message.id,
                "consumerId": message.consumer_id,
                "eventType": message.event_type,
                "body": message.body.decode(),
                "status": message.status,
                "attempts": message.attempts,
                "nextAt": timestamp(message.next_at) if message.next_at else None,
            }
            for message in sim.messages
        ]
    }


def operations(sim: Codat) -> Json:
    """Every push operation, in order of arrival, with the push itself."""
    settle(sim)
    return {
        "operations": [
            {**operation_json(operation), "accountId": operation.account_id, "data": operation.data}
            for operation in sim.operations.values()
        ]
    }


def ledgers(sim: Codat) -> Json:
    """Per account of Xero, the lines in its books, in order of arrival."""
    settle(sim)
    arrived: dict[tuple[str, str], list[ArrivedLine]] = {}
    for line in sim.arrived:
        arrived.setdefault((line.tenant_id, line.target_id), []).append(line)
    return {
        "ledgers": [
            {
                "tenantId": tenant_id,
                "targetAccountId": target_id,
                "lines": [
                    {
                        **one.line,
                        "companyId": one.company_id,
                        "sourceAccountId": one.account_id,
                        "pushOperationKey": one.operation_key,
                        "arrivedAt": timestamp(one.arrived_at),
                    }
                    for one in lines
                ],
            }
            for (tenant_id, target_id), lines in arrived.items()
        ]
    }
