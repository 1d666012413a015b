"""The simulator as an ASGI application: its routes, and the access that each requires."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.simulator import accounting, connections, consent, control, developer, discovery, tokens
from local.simulator import feed_connections as feeds
from local.simulator import feed_connections_2 as feeds_2
from local.simulator import statements as statement_routes
from local.simulator.call_log import CallLog
from local.simulator.gateway import Access, guarded, unguarded
from local.simulator.problems import gateway
from local.simulator.state import Simulator

ANY_TOKEN = Access(tenant=False)
SETTINGS = Access(frozenset({"accounting.settings", "accounting.settings.read"}))
FEEDS = Access(frozenset({"bankfeeds"}))
FEEDS_2 = Access(frozenset({"bankfeedsv2"}), header_first=True)
STATEMENTS = Access(frozenset({"bankfeeds"}), statements=True)

FEED_CONNECTIONS_PATH = "/bankfeeds.xro/1.0/FeedConnections"
FEED_CONNECTIONS_2_PATH = "/bankfeeds.xro/2.0/FeedConnections"
STATEMENTS_PATH = "/bankfeeds.xro/1.0/Statements"


def create_app(sim: Simulator | None = None) -> CallLog:
    """The whole simulator. Tests that run it in their own process can keep `sim` and inspect it."""
    sim = sim or Simulator()
    app = Starlette(
        routes=[*_identity_routes(), *_api_routes(), *control.routes(), *developer.routes()],
        exception_handlers={404: _unknown_path},
    )
    app.state.simulator = sim
    return CallLog(app, sim)


def _identity_routes() -> list[Route]:
    return [
        Route("/identity/connect/authorize", consent.start_consent),
        Route("/identity/connect/authorize", consent.decide_consent, methods=["POST"]),
        Route("/connectionLimit", consent.connection_limit_page),
        Route("/connect/token", unguarded(tokens.answer_token), methods=["POST"]),
        Route("/connect/revocation", unguarded(tokens.answer_revocation), methods=["POST"]),
        Route("/connect/userinfo", guarded(tokens.answer_userinfo, ANY_TOKEN)),
        Route("/.well-known/openid-configuration", discovery.openid_configuration),
        Route("/.well-known/openid-configuration/jwks", discovery.jwks),
    ]


def _api_routes() -> list[Route]:
    return [
        Route("/connections", guarded(connections.list_connections, ANY_TOKEN)),
        Route("/connections/{id}", guarded(connections.delete_connection, ANY_TOKEN), methods=["DELETE"]),
        # Xero takes both names; its SDKs use the one, pyxero the other.
        Route("/api.xro/2.0/Organisation", guarded(accounting.show_organisation, SETTINGS)),
        Route("/api.xro/2.0/Organisations", guarded(accounting.show_organisation, SETTINGS)),
        Route("/api.xro/2.0/Organisation/Actions", guarded(accounting.list_actions, SETTINGS)),
        Route("/api.xro/2.0/Organisations/Actions", guarded(accounting.list_actions, SETTINGS)),
        Route("/api.xro/2.0/Currencies", guarded(accounting.list_currencies, SETTINGS)),
        Route("/api.xro/2.0/Accounts", guarded(accounting.list_accounts, SETTINGS)),
        Route("/api.xro/2.0/Accounts/{id}", guarded(accounting.show_account, SETTINGS)),
        Route("/api.xro/2.0/Users", guarded(accounting.list_users, SETTINGS)),
        Route(FEED_CONNECTIONS_PATH, guarded(feeds.list_feed_connections, FEEDS)),
        Route(FEED_CONNECTIONS_PATH, guarded(feeds.create_feed_connections, FEEDS), methods=["POST"]),
        Route(
            f"{FEED_CONNECTIONS_PATH}/DeleteRequests",
            guarded(feeds.delete_feed_connections, FEEDS),
            methods=["POST"],
        ),
        Route(f"{FEED_CONNECTIONS_PATH}/{{id}}", guarded(feeds.show_feed_connection, FEEDS)),
        *_feed_connections_2_routes(),
        Route(STATEMENTS_PATH, guarded(statement_routes.list_statements, STATEMENTS)),
        Route(STATEMENTS_PATH, guarded(statement_routes.create_statements, STATEMENTS), methods=["POST"]),
        Route(f"{STATEMENTS_PATH}/{{id}}", guarded(statement_routes.show_statement, STATEMENTS)),
    ]


def _feed_connections_2_routes() -> list[Route]:
    posts = {
        "ExistingAccount": feeds_2.connect_existing_accounts,
        "NewAccount": feeds_2.connect_new_accounts,
        "DeleteRequests": feeds_2.delete_feed_connections,
    }
    return [
        Route(FEED_CONNECTIONS_2_PATH, guarded(feeds_2.list_feed_connections, FEEDS_2)),
        *(
            Route(f"{FEED_CONNECTIONS_2_PATH}/{name}", guarded(endpoint, FEEDS_2), methods=["POST"])
            for name, endpoint in posts.items()
        ),
        Route(f"{FEED_CONNECTIONS_2_PATH}/{{id}}", guarded(feeds_2.show_feed_connection, FEEDS_2)),
    ]


async def _unknown_path(_request: Request, _error: Exception) -> Response:
    return gateway(404, "The resource you're looking for cannot be found").to_response()
