"""What an operator does with a company's connections: a new one, a link with a password, a hold's release."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import PLATFORM_KEY
from feedlane.errors import FeedlaneError, Invalid, NotFound
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.link import connections
from feedlane.link import passwords as link_passwords
from feedlane.store.table import ConditionFailed
from feedlane.web.portal.companies.company import company_page
from feedlane.web.portal.session import require_operator
from feedlane.web.portal.troubles import troubles
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site


def add_connection(site: Site, request: Request, company_id: str) -> Response:
    operator = require_operator(site, request)
    company = company_items.company(site.store, company_id)
    try:
        connections.create(site.ports, site.clock(), company_id, PLATFORM_KEY)
    except Invalid as error:
        errors, status = troubles(error)
        return company_page(site, request, operator, company, errors=errors, status=status)
    return see_other(request.url(f"/portal/companies/{company_id}?done=connection"))


def make_link(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Only this answer has the password: looking at the page makes none."""
    operator = require_operator(site, request)
    connection = company_items.connection(site.store, company_id, connection_id)
    made = link_passwords.issue_connection_passwords(site.store, site.clock(), site.new_secret, [connection])
    company = company_items.company(site.store, company_id)
    return company_page(site, request, operator, company, passwords=made, status=201)


def release(site: Site, request: Request, company_id: str, hold_id: str) -> Response:
    """Releases the hold, and comes back to the company."""
    operator = require_operator(site, request)
    company = company_items.company(site.store, company_id)
    try:
        hold_release.release(site.ports, site.clock(), hold_items.hold_by_id(site.store, hold_id))
    except NotFound:
        return see_other(request.url(f"/portal/companies/{company_id}?done=lifted"))
    except (FeedlaneError, ConditionFailed) as error:
        errors, status = troubles(error)
        return company_page(site, request, operator, company, errors=errors, status=status)
    return see_other(request.url(f"/portal/companies/{company_id}?done=released"))
