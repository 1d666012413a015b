"""Where a platform sends its customers: the addresses of Link. `password` is one-time, if they need one."""

from __future__ import annotations

from urllib.parse import urlencode


def company_link(public_url: str, company_id: str, password: str = "") -> str:
    return _with(f"{public_url}/link/company/{company_id}", "link.otp", password)


def connection_link(public_url: str, company_id: str, connection_id: str, password: str = "") -> str:
    return _with(f"{public_url}/link/companies/{company_id}/connections/{connection_id}/start", "otp", password)


def _with(url: str, name: str, password: str) -> str:
    return f"{url}?{urlencode({name: password})}" if password else url
