"""The resolver with all routes, and its answer to an unknown one."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from api.routes import (
    api_keys,
    companies,
    connections,
    consumers,
    deliveries,
    feeds,
    holds,
    integrations,
    mapping,
    not_supported,
    profile,
    push,
    source_accounts,
)
from feedlane.codat.errors import UnknownRoute

MODULES = (
    companies, connections, source_accounts, mapping, push, consumers, deliveries, integrations, profile, api_keys,
    feeds, holds, not_supported,
)  # fmt: skip


def build_resolver() -> APIGatewayHttpResolver:
    app = APIGatewayHttpResolver()
    for module in MODULES:
        app.include_router(module.router)

    @app.not_found
    def no_such_route(_: NotFoundError) -> Any:
        method, path = app.current_event.http_method.upper(), app.current_event.path
        routes = app._static_routes + app._dynamic_routes
        allowed = {route.method.upper() for route in routes if route.rule.match(path)}
        raise UnknownRoute(method, path, tuple(sorted(allowed)))

    return app
