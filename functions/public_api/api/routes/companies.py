"""Companies."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import no_content, ok
from api.company_views import show_companies, show_company
from api.parts import current_parts
from api.requests import Routes
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
    body = parse_body(CompanyBody, router.body)
    parts = current_parts()
    company = companies.create(parts.ports, parts.clock(), body.name, body.description, body.tags)
    return ok(show_company(company))


@router.get("/companies")
def list_companies() -> Response[str]:
    parameters = router.parameters
    request = page_request(parameters, COMPANY_FIELDS, "Company")
    tags = parameters.get("tags", "")
    has_tags = tag_predicate(tags)
    listed = [company for company in company_items.companies(current_parts().store) if has_tags(company.tags)]
    extra = {"tags": tags} if tags else {}
    if not request.is_unfiltered:
        return ok(page_of(request, "/companies", show_companies(listed), extra))
    return ok(lazy_page(request, "/companies", listed, show_companies, extra))


@router.get("/companies/<company_id>")
def get_company(company_id: str) -> Response[str]:
    return ok(show_company(company_items.company(current_parts().store, company_id)))


@router.put("/companies/<company_id>")
def replace_company(company_id: str) -> Response[str]:
    body = parse_body(CompanyBody, router.body)
    store = current_parts().store
    return ok(show_company(companies.replace(store, company_id, body.name, body.description, body.tags)))


@router.patch("/companies/<company_id>")
def update_company(company_id: str) -> Response[str]:
    body = parse_body(CompanyChanges, router.body)
    store = current_parts().store
    return ok(show_company(companies.update(store, company_id, body.name, body.description, body.tags)))


@router.delete("/companies/<company_id>")
def delete_company(company_id: str) -> Response[str]:
    parts = current_parts()
    connections.delete_company(parts.ports, parts.upstream, parts.disconnect, parts.clock(), company_id)
    return no_content()
