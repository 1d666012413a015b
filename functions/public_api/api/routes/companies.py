"""Companies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import nothing, ok
from api.requests import Routes
from feedlane import companies
from feedlane.codat.bodies import CompanyBody, CompanyChanges, parsed
from feedlane.codat.companies import COMPANY_FIELDS, company_json
from feedlane.codat.paging import lazy_page, page_of, page_request
from feedlane.codat.query import tagged
from feedlane.company import Company

router = Routes()


@router.post("/companies")
def create_company() -> Response[str]:
    given, own = parsed(CompanyBody, router.body), parts.current
    company = companies.create(own.store, own.clock(), own.new_id, given.name, given.description, given.tags)
    return ok(company_json(company, [], own.public_url))


@router.get("/companies")
def list_companies() -> Response[str]:
    parameters, own = router.parameters, parts.current
    request = page_request(parameters, COMPANY_FIELDS, "Company")
    tags = parameters.get("tags", "")
    wanted = tagged(tags)
    found = [company for company in own.store.companies() if wanted(company.tags)]
    extra = {"tags": tags} if tags else {}
    if not request.asks_nothing:
        return ok(page_of(request, "/companies", _jsons(found), extra))
    return ok(lazy_page(request, "/companies", found, _jsons, extra))


@router.get("/companies/<company_id>")
def get_company(company_id: str) -> Response[str]:
    return ok(_json(parts.current.store.company(company_id)))


@router.put("/companies/<company_id>")
def replace_company(company_id: str) -> Response[str]:
    given = parsed(CompanyBody, router.body)
    store = parts.current.store
    return ok(_json(companies.replace(store, company_id, given.name, given.description, given.tags)))


@router.patch("/companies/<company_id>")
def update_company(company_id: str) -> Response[str]:
    given = parsed(CompanyChanges, router.body)
    store = parts.current.store
    return ok(_json(companies.update(store, company_id, given.name, given.description, given.tags)))


@router.delete("/companies/<company_id>")
def delete_company(company_id: str) -> Response[str]:
    own, now = parts.current, parts.current.clock()
    companies.delete(own.store, own.upstream, own.queues, own.disconnect, now, own.new_id, company_id)
    return nothing()


def _json(company: Company) -> dict[str, Any]:
    return _jsons([company])[0]


def _jsons(found: Sequence[Company]) -> list[dict[str, Any]]:
    own = parts.current
    connections = companies.connections_of(own.store, found)
    return [company_json(company, connections[company.id], own.public_url) for company in found]
