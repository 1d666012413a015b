"""Companies."""

from __future__ import annotations

from collections.abc import Iterable

from aws_lambda_powertools.event_handler import Response

from api.answers import no_content, ok
from api.company_views import show_companies, show_company
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import CompanyBody, CompanyChanges, parse_body
from feedlane.codat.paging import (
    PageRequest,
    matches,
    page_envelope,
    page_of,
    page_request,
    require_searchable,
    slice_of,
)
from feedlane.codat.query import tag_predicate
from feedlane.companies import companies
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.shapes import COMPANY_FIELDS, company_json
from feedlane.link import connections
from feedlane.store.blocks import Blocks

router = Routes()


@router.post("/companies")
def create_company() -> Response[str]:
    body = parse_body(CompanyBody, router.body)
    parts = current_parts()
    company = companies.create(parts.ports, parts.clock(), body.name, body.description, body.tags, body.upstream)
    return ok(show_company(company))


@router.get("/companies")
def list_companies() -> Response[str]:
    """By page, in the order of creation, only the page is read. A filter, or another order, reads all companies."""
    parameters = router.parameters
    request = page_request(parameters, COMPANY_FIELDS, "Company")
    tags = parameters.get("tags", "")
    extra = {"tags": tags} if tags else {}
    blocks = company_items.company_blocks(current_parts().store)
    if request.is_in_order_of("created") and not tags:
        return ok(page_envelope(request, "/companies", show_companies(_page(request, blocks)), blocks.total))
    has_tags = tag_predicate(tags)
    listed = [company for company in _candidates(request, blocks) if has_tags(company.tags)]
    if request.names("dataConnections"):
        return ok(page_of(request, "/companies", show_companies(listed), extra))
    found = matches(request, listed, lambda company: company_json(company, [], current_parts().public_url))
    return ok(page_envelope(request, "/companies", show_companies(slice_of(request, found)), len(found), extra))


def _page(request: PageRequest, blocks: Blocks) -> list[Company]:
    store = current_parts().store
    if not request.is_descending:
        return company_items.companies_from(store, blocks, request.start, request.size)
    end = blocks.total - request.start
    start = max(0, end - request.size)
    return company_items.companies_from(store, blocks, start, end - start)[::-1]


def _candidates(request: PageRequest, blocks: Blocks) -> Iterable[Company]:
    """All companies that the filter has to look at. Raises `Invalid` if they are too many."""
    store = current_parts().store
    if request.only_id:
        return filter(None, [company_items.find_company(store, request.only_id)])
    require_searchable(blocks.total, "companies")
    return company_items.companies(store)


@router.get("/companies/<company_id>")
def get_company(company_id: str) -> Response[str]:
    return ok(show_company(company_items.company(current_parts().store, company_id)))


@router.put("/companies/<company_id>")
def replace_company(company_id: str) -> Response[str]:
    body = parse_body(CompanyBody, router.body)
    store = current_parts().store
    changed = companies.replace(store, company_id, body.name, body.description, body.tags)
    return ok(show_company(_with_upstream(changed, body)))


@router.patch("/companies/<company_id>")
def update_company(company_id: str) -> Response[str]:
    body = parse_body(CompanyChanges, router.body)
    store = current_parts().store
    changed = companies.update(store, company_id, body.name, body.description, body.tags)
    return ok(show_company(_with_upstream(changed, body)))


@router.delete("/companies/<company_id>")
def delete_company(company_id: str) -> Response[str]:
    parts = current_parts()
    connections.delete_company(parts.ports, parts.upstream, parts.disconnect, parts.clock(), company_id)
    return no_content()


def _with_upstream(company: Company, body: CompanyBody | CompanyChanges) -> Company:
    """Clients of Codat's do not know the field: without it nothing changes, also where a company is replaced."""
    if "upstream" not in body.model_fields_set:
        return company
    return companies.choose_upstream(current_parts().store, company.id, body.upstream)
