"""Companies."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import nothing, ok
from api.requests import Routes
from api.shown import companies_shown, company_shown
from feedlane.codat.bodies import CompanyBody, CompanyChanges, parse_body
from feedlane.codat.paging import lazy_page, page_of, page_request
from feedlane.codat.query import tag_predicate
from feedlane.companies import companies
from feedlane.companies import items as company_items
from feedlane.companies.shapes import COMPANY_FIELDS
from feedlane.link import connections

router = Routes()


@router.post("/companies")
def create_company() -> Response[str]:
    given, own = parse_body(CompanyBody, router.body), parts.current
    company = companies.create(own.ports, own.clock(), given.name, given.description, given.tags)
    return ok(company_shown(company))


@router.get("/companies")
def list_companies() -> Response[str]:
    parameters, own = router.parameters, parts.current
    request = page_request(parameters, COMPANY_FIELDS, "Company")
    tags = parameters.get("tags", "")
    wanted = tag_predicate(tags)
    found = [company for company in company_items.companies(own.store) if wanted(company.tags)]
    extra = {"tags": tags} if tags else {}
    if not request.is_unfiltered:
        return ok(page_of(request, "/companies", companies_shown(found), extra))
    return ok(lazy_page(request, "/companies", found, companies_shown, extra))


@router.get("/companies/<company_id>")
def get_company(company_id: str) -> Response[str]:
    return ok(company_shown(company_items.company(parts.current.store, company_id)))


@router.put("/companies/<company_id>")
def replace_company(company_id: str) -> Response[str]:
    given = parse_body(CompanyBody, router.body)
    store = parts.current.store
    return ok(company_shown(companies.replace(store, company_id, given.name, given.description, given.tags)))


@router.patch("/companies/<company_id>")
def update_company(company_id: str) -> Response[str]:
    given = parse_body(CompanyChanges, router.body)
    store = parts.current.store
    return ok(company_shown(companies.update(store, company_id, given.name, given.description, given.tags)))


@router.delete("/companies/<company_id>")
def delete_company(company_id: str) -> Response[str]:
    own, now = parts.current, parts.current.clock()
    connections.delete_company(own.ports, own.upstream, own.disconnect, now, company_id)
    return nothing()
