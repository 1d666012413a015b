"""Hosted Link: the pages that customers see between `linkUrl` and the redirect, played at once or by a person."""

from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from local.codat_simulator.connections import add_connection, fail_to_link, link
from local.codat_simulator.errors import CodatError
from local.codat_simulator.mapping_routes import map_account
from local.codat_simulator.records import Connection
from local.codat_simulator.redirects import ENDINGS, redirect_url
from local.codat_simulator.state import Codat

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1>{content}</body></html>
"""
SUCCESS = "<p>You can close this page.</p>"


async def start_link(request: Request) -> Response:
    """The connection's link: decides at once, or shows a page that asks."""
    sim: Codat = request.app.state.simulator
    sim.origin = str(request.base_url).rstrip("/")
    try:
        connection = sim.connection(request.path_params["company"], request.path_params["connection"])
        _use_password(sim, connection, request.query_params)
    except CodatError as error:
        return _page("This link does not work", f"<p>{escape(error.text)}</p>", error.status)
    if sim.link.mode == "page":
        return _page("Connect to Xero", _form(sim))
    return _end(sim, connection, sim.link.outcome, sim.link.tenant_id, request.query_params)


async def decide_link(request: Request) -> Response:
    """What a person has chosen on the page: `outcome` and `tenantId`. The address keeps the custom parameters."""
    sim: Codat = request.app.state.simulator
    fields = dict(parse_qsl((await request.body()).decode()))
    try:
        connection = sim.connection(request.path_params["company"], request.path_params["connection"])
    except CodatError as error:
        return _page("This link does not work", f"<p>{escape(error.text)}</p>", error.status)
    outcome = fields.get("outcome", "")
    if outcome not in ENDINGS:
        return _page("This link does not work", "<p>Unknown outcome.</p>", 400)
    return _end(sim, connection, outcome, fields.get("tenantId"), request.query_params)


async def company_link(request: Request) -> Response:
    """The company's link: the same for its connection, which is made if there is none."""
    sim: Codat = request.app.state.simulator
    sim.origin = str(request.base_url).rstrip("/")
    try:
        company = sim.company(request.path_params["company"])
    except CodatError as error:
        return _page("This link does not work", f"<p>{escape(error.text)}</p>", error.status)
    known = sim.connections_of(company.id)
    connection = known[-1] if known else add_connection(sim, company.id)
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/companies/{company.id}/connections/{connection.id}/start{query}", 302)


def _end(
    sim: Codat, connection: Connection, outcome: str, tenant_id: str | None, parameters: Mapping[str, str]
) -> Response:
    ending = ENDINGS[outcome]
    if outcome == "linked":
        # Without a choice, the first organisation.
        link(sim, connection, tenant_id if tenant_id in sim.organisations else next(iter(sim.organisations)))
        _map_accounts(sim, connection)
    elif outcome != "existing":
        fail_to_link(sim, connection, str(ending.status_code), ending.status_text, ending.error_message)
    url = redirect_url(sim, connection, ending, parameters)
    if url is not None:
        return RedirectResponse(url, 302)
    return _page(ending.error_message or "Success", SUCCESS, 200)


def _map_accounts(sim: Codat, connection: Connection) -> None:
    """The mapping page after Xero's consent, if the customer is to use it."""
    if sim.link.maps == "newAccounts":
        for account in sim.accounts_of(connection):
            if account.mapping is None:
                map_account(sim, connection, account, None, None)


def _use_password(sim: Codat, connection: Connection, query: Mapping[str, str]) -> None:
    """A password works once, for a day. Reading the connection gives a fresh one."""
    if not sim.behaviour.one_time_passwords:
        return
    if not connection.otp or query.get("otp") != connection.otp or sim.now() >= (connection.otp_until or sim.now()):
        raise CodatError(403, "The link has expired. Please ask for a new one.")
    connection.otp = ""


def _form(sim: Codat) -> str:
    """Posts to its own address, so that the custom parameters stay."""
    organisations = "".join(
        f'<option value="{escape(one.tenant_id)}">{escape(one.name)}</option>' for one in sim.organisations.values()
    )
    buttons = "".join(f'<button id="{name}" name="outcome" value="{name}">{name}</button>' for name in ENDINGS)
    select = f'<label>Organisation <select name="tenantId">{organisations}</select></label>'
    return f'<form method="post">{select}{buttons}</form>'


def _page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(PAGE.format(title=escape(title), content=content), status)
