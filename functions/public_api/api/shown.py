"""Companies and connections as the API shows them: with what stops a connection now, wherever that is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api import parts
from feedlane import companies
from feedlane.codat.companies import company_json, connection_json
from feedlane.company import Company
from feedlane.connection import Connection
from feedlane.connection_errors import standing_errors


def connections_shown(connections: Sequence[Connection]) -> list[dict[str, Any]]:
    own = parts.current
    standing = standing_errors(own.store, own.store.settings(), connections)
    return [connection_json(one, own.public_url, standing[one.id]) for one in connections]


def companies_shown(found: Sequence[Company]) -> list[dict[str, Any]]:
    """Each with its connections."""
    own = parts.current
    of_company = companies.connections_of(own.store, found)
    shown = connections_shown([one for company in found for one in of_company[company.id]])
    by_id = {one["id"]: one for one in shown}
    return [
        company_json(company, [by_id[one.id] for one in of_company[company.id]], own.public_url) for company in found
    ]
