"""The credential vault, invoked by other functions only. Requests and responses are never logged."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from feedlane.aws import clients as aws
from feedlane.aws import metrics
from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.aws.metrics import Metric
from feedlane.credentials.messages import VaultFailed, error_as_data, parse_message, perform
from feedlane.environment import Environment, environment, require
from feedlane.errors import AppKeysRejected, FeedlaneError, Unavailable
from feedlane.http import Http
from feedlane.vault.callers import NotAllowed, require_allowed
from feedlane.vault.secrets_manager import SecretsManager
from feedlane.vault.service import GrantNotStored, VaultService
from feedlane.xero.identity import Identity

# A request without an answer is repeated once: two reads fit into the function's timeout.
IDENTITY_READ_SECONDS = 5.0

require(
    Environment.table_name,
    Environment.secrets_prefix,
    Environment.token_sets_per_secret,
    Environment.xero_identity_url,
    Environment.codat_api_url,
    Environment.metrics_namespace,
)

logger = Logger()


# Overrides the environment variable that logs events.
@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    ids: dict[str, Any] = {}
    try:
        message = parse_message(event)
        ids = message.model_dump(include={"action", "token_set_id", "consumer_id"})
        require_allowed(context.invoked_function_arn, message.action)
        result = perform(vault(), message)
    except FeedlaneError as error:
        data = error_as_data(error)
        # The class of the error, not its text: no text of a dependency comes into this log.
        logger.warning("vault refused", kind=data["kind"], error=type(error).__name__, **ids)
        if isinstance(error, GrantNotStored):
            logger.error("a customer's grant may be lost", error=type(error.__cause__).__name__)
            metrics.count(Metric.TOKEN_REFRESHES_FAILED)
        if ids.get("action") == "access_token" and isinstance(error, AppKeysRejected | Unavailable):
            # A dead token set is not counted: its connection is held, which has an event of its own.
            metrics.count(Metric.TOKEN_REFRESHES_FAILED)
        return {"error": data}
    except NotAllowed:
        raise
    except Exception as error:
        raise VaultFailed.from_error(error) from None
    logger.info("vault answered", **ids)
    return {"ok": result}


@lru_cache(maxsize=1)
def vault() -> VaultService:
    identity = Identity(Http(environment().xero_identity_url, read_seconds=IDENTITY_READ_SECONDS))
    secrets = SecretsManager(aws.client("secretsmanager"), environment().secrets_prefix)
    table = DynamoDBTable(aws.client("dynamodb"), environment().table_name)
    shared_by = int(environment().token_sets_per_secret)
    return VaultService(
        secrets, table, identity, token_sets_per_secret=shared_by, check_codat_key=_is_accepted_by_codat
    )


def _is_accepted_by_codat(key: str) -> bool | None:
    # Imported late: as a rule, the vault never speaks to Codat.
    from feedlane.codat_upstream.api_keys import is_accepted

    return is_accepted(environment().codat_api_url, key)
