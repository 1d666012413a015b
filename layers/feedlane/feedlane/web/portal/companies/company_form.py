"""The forms about a company itself: a new one, its name and tags, and the end of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedlane.companies import companies
from feedlane.companies import items as company_items
from feedlane.companies.company import TAGS_MAX, Company, check_tags, clean_name
from feedlane.companies.connection import PLATFORM_KEY
from feedlane.errors import FeedlaneError, Invalid, require_all
from feedlane.link import connections
from feedlane.store.table import ConditionFailed
from feedlane.web.form_errors import FormError, Words, form_errors
from feedlane.web.portal.companies.confirming import confirmation
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.portal.troubles import troubles
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

_WORDS = Words(
    {"name": ("name", "Name"), "tags": ("tags", "Tags")},
    {
        ("name", "Required"): "Enter a name with at least one letter from a to z, or a digit.",
        ("name", "MaximumLength"): "Name must have at most 255 characters.",
        ("tags", "MaximumCount"): f"A company has at most {TAGS_MAX} tags.",
        ("tags", "Tag"): "Each line of the tags must be a name and a value, such as region:uk.",
    },
)


def new(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    return _form(site, operator, None, _entered(request))


def create(site: Site, request: Request) -> Response:
    """Creates the company with a connection, so that its page has the link to send."""
    operator = require_operator(site, request)
    entered = _entered(request)
    try:
        tags = _checked(entered)
        company = companies.create(site.ports, site.clock(), entered["name"], None, tags)
    except Invalid as error:
        return _form(site, operator, None, entered, _errors(error), 422)
    connections.create(site.ports, site.clock(), company.id, PLATFORM_KEY)
    return see_other(request.url(f"/portal/companies/{company.id}?done=created"))


def edit(site: Site, request: Request, company_id: str) -> Response:
    operator = require_operator(site, request)
    company = company_items.company(site.store, company_id)
    stored = {"name": company.name, "tags": "\n".join(f"{name}:{value}" for name, value in company.tags.items())}
    return _form(site, operator, company, _entered(request) if request.form else stored)


def save(site: Site, request: Request, company_id: str) -> Response:
    operator = require_operator(site, request)
    company, entered = company_items.company(site.store, company_id), _entered(request)
    try:
        companies.update(site.store, company_id, entered["name"], None, _checked(entered))
    except Invalid as error:
        return _form(site, operator, company, entered, _errors(error), 422)
    return see_other(request.url(f"/portal/companies/{company_id}?done=saved"))


def ask_to_delete(site: Site, request: Request, company_id: str) -> Response:
    return _deletion(site, require_operator(site, request), company_items.company(site.store, company_id), request)


def delete(site: Site, request: Request, company_id: str) -> Response:
    """Deletes the company with all that it has, once its name is typed, or its id if the name cannot be read."""
    operator = require_operator(site, request)
    company = company_items.company(site.store, company_id)
    asked = confirmation(company.name, company.id)
    if not asked.is_given(request.field("name")):
        error = FormError("name", f"Enter the company’s {asked.kind} exactly as it is shown below.")
        return _deletion(site, operator, company, request, [error], 422)
    try:
        connections.delete_company(site.ports, site.upstream, site.disconnect, site.clock(), company_id)
    except (FeedlaneError, ConditionFailed) as error:
        return _deletion(site, operator, company, request, *troubles(error))
    return see_other(request.url("/portal/companies?done=deleted"))


def _entered(request: Request) -> dict[str, str]:
    return {"name": request.field("name"), "tags": request.field("tags")}


def _checked(entered: dict[str, str]) -> dict[str, str]:
    """The tags that were entered. Raises `Invalid` with everything that is wrong, about the name too."""
    tags: dict[str, str] = {}
    require_all(lambda: clean_name(entered["name"]), lambda: tags.update(_tags(entered["tags"])))
    return tags


def _tags(text: str) -> dict[str, str]:
    """One a line, `name:value`."""
    tags = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise Invalid.field("tags", f"“{line}” is no tag", "Tag")
        tags[name.strip()] = value.strip()
    return check_tags(tags)


def _errors(error: Invalid) -> list[FormError]:
    """What the rules say of one tag belongs to the field of all."""
    return [one if one.field else FormError("tags", one.sentence) for one in form_errors(error, _WORDS)]


def _form(
    site: Site,
    operator: Operator,
    company: Company | None,
    entered: dict[str, str],
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    context: dict[str, Any] = {"company": company, "entered": entered, "errors": errors, "tags_max": TAGS_MAX}
    title = "Change company" if company else "New company"
    return portal_page(site, operator, "companies/company_form", status, title=title, section="companies", **context)


def _deletion(
    site: Site,
    operator: Operator,
    company: Company,
    request: Request,
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    listed = company_items.connections(site.store, company.id)
    counts = company_items.connection_counts(site.store, (one.id for one in listed))
    return portal_page(
        site,
        operator,
        "companies/company_delete",
        status,
        title="Delete company",
        section="companies",
        company=company,
        asked=confirmation(company.name, company.id),
        connections=len(listed),
        accounts=sum(count.accounts for count in counts.values()),
        entered=request.field("name"),
        errors=errors or (),
    )
