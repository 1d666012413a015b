"""Companies."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import nothing, ok
from api.requests import Routes
from api.shown import companies_shown, company_shown
from feedlane import companies
from feedlane.codat.bodies import CompanyBody, CompanyChanges, parsed
from feedlane.codat.companies import COMPANY_FIELDS
from feedlane.codat.paging import lazy_page, page_of, page_request
from feedlane.codat.query import tagged

router = Routes()


@router.post("/companies")
def create_company() -> Response[str]:
    given, own = parsed(CompanyBody, router.body), parts.current
    company = companies.create(own.store, own.clock(), own.new_id, given.name, given.description, given.tags)
    return ok(company_shown(company))


@router.get("/companies")
def list_companies() -> Response[str]:
    parameters, own = router.parameters, parts.current
    request = page_request(parameters, COMPANY_FIELDS, "Company")
    tags = parameters.get("tags", "")
    wanted = tagged(tags)
    found = [company for company in own.store.companies() if wanted(company.tags)]
    extra = {"tags": tags} if tags else {}
    if not request.asks_nothing:
        return ok(page_of(request, "/companies", companies_shown(found), extra))
    return ok(lazy_page(request, "/companies", found, companies_shown, extra))


@router.get("/companies/<company_id>")
def get_company(company_id: str) -> Response[str]:
    return ok(company_shown(parts.current.store.company(company_id)))


@router.put("/companies/<company_id>")
def replace_company(company_id: str) -> Response[str]:
    given = parsed(CompanyBody, router.body)
    store = parts.current.store
    return ok(company_shown(companies.replace(store, company_id, given.name, given.description, given.tags)))


@router.patch("/companies/<company_id>")
def update_company(company_id: str) -> Response[str]:
    given = parsed(CompanyChanges, router.body)
    store = parts.current.store
    return ok(company_shown(companies.update(store, company_id, given.name, given.description, given.tags)))


@router.delete("/companies/<company_id>")
def delete_company(company_id: str) -> Response[str]:
    own, now = parts.current, parts.current.clock()
    companies.delete(own.store, own.upstream, own.queues, own.disconnect, now, own.new_id, company_id)
    return nothing()
