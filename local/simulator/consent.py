"""The authorize endpoint: checks the request, asks the user, connects the organisations, calls back."""

import secrets
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from local.simulator.grants import CODE_BEGINS, CODE_LIFETIME, AuthorizationCode, AuthorizeRequest
from local.simulator.html_pages import render
from local.simulator.organisations import Organisation, new_id
from local.simulator.problems import gateway
from local.simulator.state import Connection, Simulator

# An organisation may connect two uncertified apps; a third is refused.
UNCERTIFIED_APPS_MAX = 2
LOGIN_HOST = "login.localhost"
DENIED = "TenantConsent status: DENIED"


async def start_consent(request: Request) -> Response:
    sim: Simulator = request.app.state.simulator
    if not _is_login_host(sim, request):
        return gateway(404, "The resource you're looking for cannot be found").to_response()
    query = dict(request.query_params)
    error = _why_invalid(sim, query)
    if error is not None:
        return render("error.html", 400, error=error[0], description=error[1])
    pending = AuthorizeRequest(
        client_id=query["client_id"],
        redirect_uri=query["redirect_uri"],
        scopes=tuple(dict.fromkeys(query["scope"].split())),
        state=query.get("state"),
        user_id=sim.consent.user_id,
        code_challenge=query.get("code_challenge"),
        code_challenge_method=query.get("code_challenge_method", "plain"),
        nonce=query.get("nonce"),
    )
    if "none" in query.get("prompt", "").split():
        # Nobody may be asked, and whoever sends this is no browser with a session.
        return _call_back(pending, {"error": "login_required", "error_description": "No user is signed in"})
    if sim.consent.mode == "deny":
        return _deny(pending)
    if sim.consent.mode == "auto":
        tenant_ids = sim.consent.tenant_ids or [next(iter(sim.organisations))]
        return _allow(sim, pending, tenant_ids)
    request_id = new_id()
    sim.authorize_requests[request_id] = pending
    return _consent_page(sim, request_id, pending, sim.consent.tenant_ids)


async def decide_consent(request: Request) -> Response:
    """The consent page's form: `decision` is allow or cancel, `tenantId` once per organisation."""
    sim: Simulator = request.app.state.simulator
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    request_id = form.get("requestId", [""])[0]
    pending = sim.authorize_requests.get(request_id)
    if pending is None:
        return render(
            "error.html",
            400,
            error="invalid_request",
            description="This consent request has expired. Please start again.",
        )
    if form.get("decision", [""])[0] != "allow":
        del sim.authorize_requests[request_id]
        return _deny(pending)
    chosen = [tenant_id for tenant_id in form.get("tenantId", []) if tenant_id in sim.organisations]
    if not chosen:
        return _consent_page(sim, request_id, pending, [], "Choose at least one organisation.")
    del sim.authorize_requests[request_id]
    return _allow(sim, pending, chosen)


async def connection_limit_page(request: Request) -> Response:
    return render("connection_limit.html", app_name=request.app.state.simulator.app.name)


def login_origin(sim: Simulator, base_url: URL) -> str:
    """Where the consent page is: here, or, with the switch, on `login.localhost`."""
    if sim.behaviour.login_host == "own":
        base_url = base_url.replace(hostname=LOGIN_HOST)
    return str(base_url).rstrip("/")


def _is_login_host(sim: Simulator, request: Request) -> bool:
    return sim.behaviour.login_host == "same" or request.url.hostname == LOGIN_HOST


def _why_invalid(sim: Simulator, query: dict[str, str]) -> tuple[str, str] | None:
    """The error and its description. These never redirect: the redirect URI itself may be wrong."""
    app = sim.app
    if query.get("client_id") != app.client_id:
        return "unauthorized_client", "Unknown client or client not enabled"
    if not _is_registered_redirect(sim, query.get("redirect_uri", "")):
        return "invalid_request", "Invalid redirect_uri"
    if query.get("response_type") != "code":
        return "unsupported_response_type", "The response_type must be code"
    scopes = query.get("scope", "").split()
    unknown = [scope for scope in scopes if scope not in app.allowed_scopes]
    if unknown or not scopes:
        return "invalid_scope", f"Invalid scope for client: {' '.join(unknown) or 'none query for'}"
    if query.get("code_challenge_method", "S256") not in ("S256", "plain"):
        return "invalid_request", "Transform algorithm not supported"
    return None


def _is_registered_redirect(sim: Simulator, uri: str) -> bool:
    """A registered URI exactly; if none is registered, any https URI or http on localhost (not 127.0.0.1)."""
    if sim.app.redirect_uris or sim.behaviour.redirects == "registered":
        return uri in sim.app.redirect_uris
    return may_be_registered(uri)


def may_be_registered(uri: str) -> bool:
    """Whether Xero lets it be registered: any https URI, or http on localhost (not 127.0.0.1)."""
    url = urlsplit(uri)
    host = url.hostname or ""
    if url.scheme == "https":
        return bool(host)
    return url.scheme == "http" and (host == "localhost" or host.endswith(".localhost"))


def _allow(sim: Simulator, pending: AuthorizeRequest, tenant_ids: list[str]) -> Response:
    chosen = [sim.organisations[tenant_id] for tenant_id in dict.fromkeys(tenant_ids)]
    if _exceeds_limit(sim, chosen):
        return RedirectResponse("/connectionLimit", 302)
    auth_event_id = new_id()
    for organisation in chosen:
        _connect(sim, pending, organisation, auth_event_id)
    value = CODE_BEGINS + secrets.token_urlsafe(32)
    now = sim.now()
    sim.codes[value] = AuthorizationCode(pending, auth_event_id, now, now + CODE_LIFETIME)
    extras = {"scope": " ".join(pending.scopes), "session_state": secrets.token_urlsafe(24)}
    return _call_back(pending, {"code": value, **extras})


def _exceeds_limit(sim: Simulator, chosen: list[Organisation]) -> bool:
    """Counts organisations, not users. Demo companies and reconnections do not count."""
    connected = {connection.tenant_id for connection in sim.live_connections()}
    new = [organisation for organisation in chosen if organisation.tenant_id not in connected and not organisation.demo]
    if not sim.app.certified and any(added.uncertified_apps >= UNCERTIFIED_APPS_MAX for added in new):
        return True
    limit = sim.app.connection_limit
    if limit is None:
        return False
    counted = sum(not sim.organisations[tenant_id].demo for tenant_id in connected)
    if sim.app.limit_stops_reauthorisation and counted >= limit:
        return True
    return bool(new) and counted + len(new) > limit


def _connect(sim: Simulator, pending: AuthorizeRequest, organisation: Organisation, auth_event_id: str) -> None:
    now = sim.now()
    key = (pending.client_id, pending.user_id, organisation.tenant_id)
    for connection in sim.connections:
        if (connection.client_id, connection.user_id, connection.tenant_id) == key:
            if connection.removed and sim.behaviour.reconnected_id == "new":
                connection.id, connection.created_at = sim.new_id(), now
            connection.auth_event_id, connection.updated_at, connection.removed = auth_event_id, now, False
            return
    sim.connections.append(Connection(sim.new_id(), *key, auth_event_id, created_at=now, updated_at=now))


def _deny(pending: AuthorizeRequest) -> Response:
    return _call_back(pending, {"error": "access_denied", "error_description": DENIED})


def _call_back(pending: AuthorizeRequest, parameters: dict[str, str]) -> Response:
    if pending.state is not None:
        parameters = {**parameters, "state": pending.state}
    parts = urlsplit(pending.redirect_uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 302)


def _consent_page(
    sim: Simulator, request_id: str, pending: AuthorizeRequest, chosen: list[str], message: str | None = None
) -> Response:
    return render(
        "consent.html",
        app_name=sim.app.name,
        user=sim.user(pending.user_id),
        organisations=list(sim.organisations.values()),
        chosen=chosen,
        scopes=pending.scopes,
        request_id=request_id,
        message=message,
    )
