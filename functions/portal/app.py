"""The operator's pages: what is connected, what is held and why, and the settings."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.web.portal.routes import PORTAL
from feedlane.web.routing import handle_request
from feedlane.web.site import Site

logger = Logger()
site = Site()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return handle_request(PORTAL, site, event, logger)
