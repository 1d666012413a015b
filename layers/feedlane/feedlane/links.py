"""Addresses of pages: Link's, for a platform's customers, and the portal's, for its operators."""

from __future__ import annotations


def company_link(public_url: str, company_id: str) -> str:
    return f"{public_url}/link/company/{company_id}"


def connection_link(public_url: str, company_id: str, connection_id: str) -> str:
    return f"{public_url}/link/companies/{company_id}/connections/{connection_id}/start"


def portal_company(public_url: str, company_id: str) -> str:
    return f"{public_url}/portal/companies/{company_id}"
