"""The customer's pages: start, Xero's consent, account mapping, finish."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.environment import Environment, require
from feedlane.web.link_routes import LINK
from feedlane.web.routing import answer
from feedlane.web.site import Site

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.xero_login_url,
    Environment.vault_function_name,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
)

logger = Logger()
site = Site()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(LINK, site, event, logger)
