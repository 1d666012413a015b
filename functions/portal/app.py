"""The operator's pages: connections, holds and their reasons, settings."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.environment import Environment, require
from feedlane.web.portal.routes import PORTAL
from feedlane.web.portal.trouble import explain
from feedlane.web.routing import handle_request
from feedlane.web.site import Site

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.xero_login_url,
    Environment.codat_api_url,
    Environment.vault_arn,
    Environment.alarm_topic_arn,
    Environment.transactions_queue_url,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.deliveries_queue_url,
    Environment.events_queue_url,
    Environment.dead_letter_queue_urls,
    Environment.tend_connections,
    Environment.webhook_targets,
)

logger = Logger()
site = Site()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return handle_request(PORTAL, site, event, logger, explain)
