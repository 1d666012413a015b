"""The simulator as an ASGI application: its routes, and its own work beside the answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.codat_simulator import (
    client,
    companies,
    connections,
    consumers,
    control,
    link,
    mapping_routes,
    options,
    pushes,
    source_accounts,
)
from local.codat_simulator.deliveries import deliver_due, post_webhook
from local.codat_simulator.errors import refusal
from local.codat_simulator.gateway import Endpoint, guarded
from local.codat_simulator.settling import settle
from local.codat_simulator.state import Codat
from local.simulator.call_log import CallLog

COMPANY = "/companies/{company}"
CONNECTION = f"{COMPANY}/connections/{{connection}}"
ACCOUNTS = f"{CONNECTION}/connectionInfo/bankFeedAccounts"
# Source account ids are free text, also with slashes.
ACCOUNT = f"{ACCOUNTS}/{{account:path}}"
WORK_SECONDS = 0.05


def create_app(sim: Codat | None = None) -> CallLog:
    """The whole simulator. Tests that run it in their own process can keep `sim` and inspect it.

    Its lifespan sends webhooks. Without one, operations settle with the next call, and a test sends them itself.
    """
    sim = sim or Codat()
    app = Starlette(
        routes=[*_link_routes(), *_company_routes(), *_feed_routes(), *_client_routes(), *control.routes()],
        exception_handlers={404: _unknown_path, 405: _wrong_method},
        lifespan=_working,
    )
    app.state.simulator = sim
    return CallLog(app, sim)


@asynccontextmanager
async def _working(app: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(_work(app.state.simulator))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _work(sim: Codat) -> None:
    while True:
        settle(sim)
        await deliver_due(sim, post_webhook)
        await asyncio.sleep(WORK_SECONDS)


def _link_routes() -> list[Route]:
    return [
        Route("/company/{company}", link.company_link),
        Route(f"{CONNECTION}/start", link.start_link),
        Route(f"{CONNECTION}/start", link.decide_link, methods=["POST"]),
    ]


def _company_routes() -> list[Route]:
    return [
        _route("GET", "/companies", companies.list_companies),
        _route("POST", "/companies", companies.create_company),
        _route("GET", COMPANY, companies.show_company),
        _route("PUT", COMPANY, companies.replace_company),
        _route("PATCH", COMPANY, companies.update_company),
        _route("DELETE", COMPANY, companies.delete_company),
        _route("GET", f"{COMPANY}/accessToken", companies.access_token),
        _route("GET", f"{COMPANY}/connections", connections.list_connections),
        _route("POST", f"{COMPANY}/connections", connections.create_connection),
        _route("GET", CONNECTION, connections.show_connection),
        _route("PATCH", CONNECTION, connections.unlink_connection),
        _route("DELETE", CONNECTION, connections.delete_connection),
    ]


def _feed_routes() -> list[Route]:
    push = "bankAccounts/{account:path}/bankTransactions"
    return [
        _route("GET", ACCOUNTS, source_accounts.list_accounts),
        _route("POST", ACCOUNTS, source_accounts.create_account),
        _route("POST", f"{ACCOUNTS}/batch", source_accounts.create_batch),
        _route("PATCH", ACCOUNT, source_accounts.update_account),
        _route("DELETE", ACCOUNT, source_accounts.delete_account),
        _route("GET", f"{CONNECTION}/bankFeedAccounts/mapping", mapping_routes.list_mappings),
        _route("POST", f"{CONNECTION}/bankFeedAccounts/mapping", mapping_routes.create_mapping),
        _route("GET", f"{CONNECTION}/bankFeeds/info", options.company_information),
        _route("GET", f"{CONNECTION}/options/{push}", options.bank_transaction_option),
        _route("GET", f"{CONNECTION}/options/{{data_type}}", options.data_type_option),
        _route("POST", f"{CONNECTION}/push/{push}", pushes.create_push),
        _route("GET", f"{COMPANY}/push", pushes.list_operations),
        _route("GET", f"{COMPANY}/push/{{operation}}", pushes.show_operation),
    ]


def _client_routes() -> list[Route]:
    return [
        _route("GET", "/webhooks", consumers.list_consumers),
        _route("POST", "/webhooks", consumers.create_consumer),
        _route("DELETE", "/webhooks/{webhook}", consumers.delete_consumer),
        _route("GET", "/profile", client.show_profile),
        _route("PUT", "/profile", client.update_profile),
        _route("GET", "/apiKeys", client.list_api_keys),
        _route("POST", "/apiKeys", client.create_api_key),
        _route("DELETE", "/apiKeys/{key}", client.delete_api_key),
        _route("GET", "/integrations", client.list_integrations),
        _route("GET", "/integrations/{platform}", client.show_integration),
    ]


def _route(method: str, path: str, endpoint: Endpoint) -> Route:
    return Route(path, guarded(endpoint), methods=[method])


async def _unknown_path(_request: Request, _error: Exception) -> Response:
    return refusal(404).to_response()


async def _wrong_method(_request: Request, _error: Exception) -> Response:
    return refusal(405).to_response()
