"""The company endpoints."""

import re
from typing import Any

from local.codat_simulator.bodies import Body, read_json
from local.codat_simulator.errors import CodatError
from local.codat_simulator.events import emit_company
from local.codat_simulator.paging import page_of
from local.codat_simulator.query import matches_tags
from local.codat_simulator.records import Company
from local.codat_simulator.shapes import company_json
from local.codat_simulator.state import Codat, new_secret
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import new_id

FIELDS = ("name", "description", "tags")
TAGS_MAX, TAG_KEY_MAX, TAG_VALUE_MAX = 10, 27, 100
# Codat strips what a name may not contain.
FORBIDDEN = re.compile(r"[^A-Za-z0-9\s\-',&@.?!]")


def list_companies(sim: Codat, call: ApiCall) -> Answer:
    companies = list(sim.companies.values())
    if call.query.get("tags"):
        test = matches_tags(call.query["tags"])
        companies = [company for company in companies if test(company.tags)]
    return page_of(call, [company_json(sim, company) for company in companies], name="Company")


def create_company(sim: Codat, call: ApiCall) -> Answer:
    limit = sim.limits.allowances.companies
    if limit is not None and len(sim.companies) >= limit:
        raise CodatError(402)
    body = _body(sim, call)
    name, description, tags = _name(body, required=True), body.text("description"), _tags(body)
    body.done()
    company = Company(new_id(), name, sim.now(), description, tags)
    sim.companies[company.id] = company
    emit_company(sim, "company.created", company)
    return Answer(200, company_json(sim, company))


def show_company(sim: Codat, call: ApiCall) -> Answer:
    return Answer(200, company_json(sim, sim.company(call.path_params["company"])))


def replace_company(sim: Codat, call: ApiCall) -> Answer:
    """Also what is left out: that becomes empty."""
    company = sim.company(call.path_params["company"])
    body = _body(sim, call)
    name, description, tags = _name(body, required=True), body.text("description"), _tags(body)
    body.done()
    company.name, company.description, company.tags = name, description, tags
    return Answer(200, company_json(sim, company))


def update_company(sim: Codat, call: ApiCall) -> Answer:
    """What is null or left out stays."""
    company = sim.company(call.path_params["company"])
    body = _body(sim, call)
    name, description, tags = _name(body, required=False), body.text("description"), _tags(body)
    body.done()
    company.name, company.description = name or company.name, description or company.description
    company.tags = tags if "tags" in body.fields else company.tags
    return Answer(200, company_json(sim, company))


def delete_company(sim: Codat, call: ApiCall) -> Answer:
    company = sim.company(call.path_params["company"])
    emit_company(sim, "company.deleted", company)
    for connection in sim.connections_of(company.id):
        for account in sim.accounts_of(connection):
            del sim.accounts[connection.id, account.id]
        del sim.connections[connection.id]
    del sim.companies[company.id]
    return Answer(204)


def access_token(sim: Codat, call: ApiCall) -> Answer:
    sim.company(call.path_params["company"])
    return Answer(200, {"expiresIn": 86400, "accessToken": new_secret(), "tokenType": "Bearer"})


def _body(sim: Codat, call: ApiCall) -> Body:
    body = Body(read_json(call), "Company")
    body.known(FIELDS, sim.behaviour)
    return body


def _name(body: Body, *, required: bool) -> str:
    name = FORBIDDEN.sub("", body.text("name", required=required) or "").strip()
    if not name and body.fields.get("name"):
        body.find("name", "has no character that is allowed")
    return name


def _tags(body: Body) -> dict[str, str]:
    tags: Any = body.fields.get("tags", {})
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        body.find("tags", "must be an object of strings")
        return {}
    if len(tags) > TAGS_MAX:
        body.find("tags", f"must have at most {TAGS_MAX} tags")
    for key, value in tags.items():
        if len(key) > TAG_KEY_MAX or len(value) > TAG_VALUE_MAX:
            body.find(f"tags.{key}", f"keys have at most {TAG_KEY_MAX} and values {TAG_VALUE_MAX} characters")
    return tags
