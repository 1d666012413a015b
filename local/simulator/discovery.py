"""OpenID discovery and the signing keys."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulator.claims import ISSUER
from local.simulator.consent import login_origin
from local.simulator.state import Simulator


async def openid_configuration(request: Request) -> Response:
    """The issuer is Xero's, as in the tokens; the endpoints are the simulator's own."""
    origin = str(request.base_url).rstrip("/")
    sim: Simulator = request.app.state.simulator
    app = sim.app
    return JSONResponse(
        {
            "issuer": ISSUER,
            "jwks_uri": f"{origin}/.well-known/openid-configuration/jwks",
            "authorization_endpoint": f"{login_origin(sim, request.base_url)}/identity/connect/authorize",
            "token_endpoint": f"{origin}/connect/token",
            "userinfo_endpoint": f"{origin}/connect/userinfo",
            "revocation_endpoint": f"{origin}/connect/revocation",
            "scopes_supported": sorted(app.allowed_scopes),
            "grant_types_supported": sorted(app.grant_types),
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }
    )


async def jwks(request: Request) -> Response:
    return JSONResponse(request.app.state.simulator.key.jwks())
