"""URLs of pages: Link's, for a platform's customers, and the portal's, for its operators.

`password` is the one-time password of a Link URL; empty if the settings ask for none.
"""

from __future__ import annotations

from urllib.parse import urlencode


def company_link(public_url: str, company_id: str, password: str = "") -> str:
    return _with_parameter(f"{public_url}/link/company/{company_id}", "link.otp", password)


def connection_link(public_url: str, company_id: str, connection_id: str, password: str = "") -> str:
    return _with_parameter(
        f"{public_url}/link/companies/{company_id}/connections/{connection_id}/start", "otp", password
    )


def portal_company_link(public_url: str, company_id: str) -> str:
    return f"{public_url}/portal/companies/{company_id}"


def _with_parameter(url: str, name: str, password: str) -> str:
    return f"{url}?{urlencode({name: password})}" if password else url
