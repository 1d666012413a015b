"""The authorize endpoint: checks the request, asks the user, connects the organisations, calls back."""

import secrets
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from local.simulator.grants import CODE_BEGINS, CODE_LIFETIME, AuthorizationCode, AuthorizeRequest
from local.simulator.html_pages import render
from local.simulator.organisations import Organisation, new_id
from local.simulator.state import App, Connection, Simulator

# Each uncertified app counts against an organisation; a third one is refused.
UNCERTIFIED_APPS_PER_ORGANISATION = 2
DENIED = "TenantConsent status: DENIED"


async def start_consent(request: Request) -> Response:
    sim: Simulator = request.app.state.simulator
    asked = dict(request.query_params)
    error = _why_invalid(sim.app, asked)
    if error is not None:
        return render("error.html", 400, error=error[0], description=error[1])
    pending = AuthorizeRequest(
        client_id=asked["client_id"],
        redirect_uri=asked["redirect_uri"],
        scopes=tuple(dict.fromkeys(asked["scope"].split())),
        state=asked.get("state"),
        user_id=sim.consent.user_id,
        code_challenge=asked.get("code_challenge"),
        code_challenge_method=asked.get("code_challenge_method", "plain"),
        nonce=asked.get("nonce"),
    )
    if sim.consent.mode == "deny":
        return _deny(pending)
    if sim.consent.mode == "auto":
        chosen = sim.consent.tenant_ids or [next(iter(sim.organisations))]
        return _allow(sim, pending, chosen)
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
        return render("error.html", 400, error="invalid_request", description="This consent is over. Start again.")
    if form.get("decision", [""])[0] != "allow":
        del sim.authorize_requests[request_id]
        return _deny(pending)
    chosen = [one for one in form.get("tenantId", []) if one in sim.organisations]
    if not chosen:
        return _consent_page(sim, request_id, pending, [], "Choose at least one organisation.")
    del sim.authorize_requests[request_id]
    return _allow(sim, pending, chosen)


async def connection_limit_page(request: Request) -> Response:
    return render("connection_limit.html", app_name=request.app.state.simulator.app.name)


def _why_invalid(app: App, asked: dict[str, str]) -> tuple[str, str] | None:
    """The error and its text; these never redirect, because the redirect itself may be what is wrong."""
    if asked.get("client_id") != app.client_id:
        return "unauthorized_client", "Unknown client or client not enabled"
    if not is_registered_redirect(app, asked.get("redirect_uri", "")):
        return "invalid_request", "Invalid redirect_uri"
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "The response_type must be code"
    scopes = asked.get("scope", "").split()
    unknown = [one for one in scopes if one not in app.allowed_scopes]
    if unknown or not scopes:
        return "invalid_scope", f"Invalid scope for client: {' '.join(unknown) or 'none asked for'}"
    if asked.get("code_challenge_method", "S256") not in ("S256", "plain"):
        return "invalid_request", "Transform algorithm not supported"
    return None


def is_registered_redirect(app: App, uri: str) -> bool:
    """Exactly a registered one; with none registered any https one and http on localhost, not 127.0.0.1."""
    if app.redirect_uris:
        return uri in app.redirect_uris
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and (host == "localhost" or host.endswith(".localhost"))


def _allow(sim: Simulator, pending: AuthorizeRequest, tenant_ids: list[str]) -> Response:
    chosen = [sim.organisations[one] for one in dict.fromkeys(tenant_ids)]
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
    """Counts organisations, not users; demo companies are free; a reconnection is no new connection."""
    connected = {one.tenant_id for one in sim.live_connections()}
    new = [one for one in chosen if one.tenant_id not in connected and not one.demo]
    if not sim.app.certified and any(one.uncertified_apps >= UNCERTIFIED_APPS_PER_ORGANISATION for one in new):
        return True
    limit = sim.app.connection_limit
    if limit is None:
        return False
    counted = sum(not sim.organisations[one].demo for one in connected)
    if sim.app.limit_stops_reauthorisation and counted >= limit:
        return True
    return bool(new) and counted + len(new) > limit


def _connect(sim: Simulator, pending: AuthorizeRequest, organisation: Organisation, auth_event_id: str) -> None:
    now = sim.now()
    key = (pending.client_id, pending.user_id, organisation.tenant_id)
    for one in sim.connections:
        if (one.client_id, one.user_id, one.tenant_id) == key:
            one.auth_event_id, one.updated_at, one.removed = auth_event_id, now, False
            return
    sim.connections.append(Connection(new_id(), *key, auth_event_id, created_at=now, updated_at=now))


def _deny(pending: AuthorizeRequest) -> Response:
    return _call_back(pending, {"error": "access_denied", "error_description": DENIED})


def _call_back(pending: AuthorizeRequest, facts: dict[str, str]) -> Response:
    if pending.state is not None:
        facts = {**facts, "state": pending.state}
    parts = urlsplit(pending.redirect_uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *facts.items()])
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
