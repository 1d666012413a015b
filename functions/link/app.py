"""The customer's pages: start, Xero's consent, account mapping, finish."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.environment import Environment, require
from feedlane.web.link.routes import LINK
from feedlane.web.routing import handle_request
from feedlane.web.site import Site

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.xero_login_url,
    Environment.codat_api_url,
    Environment.vault_arn,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
)

logger = Logger()
site = Site()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return handle_request(LINK, site, event, logger)
