"""Xero's answer to a consent: the connection is linked, and the customer goes on to the accounts."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.web.link.routes import CALLBACK
from feedlane.web.routing import handle_request
from feedlane.web.site import Site

logger = Logger()
site = Site()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return handle_request(CALLBACK, site, event, logger)
