"""What the customer sees: the way to Xero's consent, the mapping of accounts, the end."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.web.link.routes import LINK
from feedlane.web.routing import handle_request
from feedlane.web.site import Site

logger = Logger()
site = Site()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return handle_request(LINK, site, event, logger)
