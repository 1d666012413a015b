"""`credential_vault`: invoked by other functions only. Nothing that it is sent or answers is logged."""

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
from feedlane.environment import environment
from feedlane.errors import AppKeysRejected, FeedlaneError, Unavailable
from feedlane.vault.secrets_manager import SecretsManager
from feedlane.vault.service import VaultService
from feedlane.xero.http import Http
from feedlane.xero.identity import Identity

# A lost answer is asked for once more: two of these fit into the function's time.
IDENTITY_READ_SECONDS = 5.0

logger = Logger(service="credential_vault")


# `log_event=False` also where the environment asks for events in the log.
@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    ids: dict[str, Any] = {}
    try:
        message = parse_message(event)
        ids = message.model_dump(include={"action", "token_set_id", "consumer_id"})
        result = perform(vault(), message)
    except FeedlaneError as error:
        data = error_as_data(error)
        logger.warning("vault refused", kind=data["kind"], **ids)
        if ids.get("action") == "access_token" and isinstance(error, AppKeysRejected | Unavailable):
            # A dead token set is no failure of ours: its connection is held, and that is told.
            metrics.count(Metric.TOKEN_REFRESHES_FAILED)
        return {"error": data}
    except Exception as error:
        raise VaultFailed.of(error) from None
    logger.info("vault answered", **ids)
    return {"ok": result}


@lru_cache(maxsize=1)
def vault() -> VaultService:
    settings = environment()
    identity = Identity(Http(settings.xero_identity_url, read_seconds=IDENTITY_READ_SECONDS))
    secrets = SecretsManager(aws.client("secretsmanager"), settings.secrets_prefix)
    return VaultService(secrets, DynamoDBTable(aws.client("dynamodb"), settings.table_name), identity)
