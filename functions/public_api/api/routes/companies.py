"""Companies."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import no_content, ok
from api.company_views import show_companies, show_company
from api.requests import Routes
from feedlane import companies
from feedlane.codat.bodies import CompanyBody, CompanyChanges, parsed
from feedlane.codat.companies import COMPANY_FIELDS
from feedlane.codat.paging import lazy_page, page_of, page_request
from feedlane.codat.query import tagged

router = Routes()


@router.post("/companies")
def create_company() -> Response[str]:
    body, current = parsed(CompanyBody, router.body), parts.current
    company = companies.create(current.store, current.clock(), current.new_id, body.name, body.description, body.tags)
    return ok(show_company(company))


@router.get("/companies")
def list_companies() -> Response[str]:
    parameters, current = router.parameters, parts.current
    request = page_request(parameters, COMPANY_FIELDS, "Company")
    tags = parameters.get("tags", "")
    has_tags = tagged(tags)
    listed = [company for company in current.store.companies() if has_tags(company.tags)]
    extra = {"tags": tags} if tags else {}
    if not request.asks_nothing:
        return ok(page_of(request, "/companies", show_companies(listed), extra))
    return ok(lazy_page(request, "/companies", listed, show_companies, extra))


@router.get("/companies/<company_id>")
def get_company(company_id: str) -> Response[str]:
    return ok(show_company(parts.current.store.company(company_id)))


@router.put("/companies/<company_id>")
def replace_company(company_id: str) -> Response[str]:
    body = parsed(CompanyBody, router.body)
    store = parts.current.store
    return ok(show_company(companies.replace(store, company_id, body.name, body.description, body.tags)))


@router.patch("/companies/<company_id>")
def update_company(company_id: str) -> Response[str]:
    body = parsed(CompanyChanges, router.body)
    store = parts.current.store
    return ok(show_company(companies.update(store, company_id, body.name, body.description, body.tags)))


@router.delete("/companies/<company_id>")
def delete_company(company_id: str) -> Response[str]:
    current, now = parts.current, parts.current.clock()
    companies.delete(current.store, current.upstream, current.queues, current.disconnect, now, current.new_id, company_id)
    return no_content()
