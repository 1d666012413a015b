"""AWS clients, made on first use, and the store on DynamoDB."""

from __future__ import annotations

import logging
from functools import cache, lru_cache
from typing import Any

import boto3
from botocore.config import Config

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.aws.reached import Reached
from feedlane.environment import environment
from feedlane.store.store import Store

# At DEBUG they log whole requests and answers, with secrets; Lambda sets its level on every logger.
for _name in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_name).setLevel(logging.WARNING)


# Seconds. A function that waits for an answer ends after 28 or more. All attempts and the pauses between them take
# less, so that it says `Unavailable` itself, and puts in order what it has begun.
CONNECT_TIMEOUT, READ_TIMEOUT, ATTEMPTS = 2, 6, 3


@cache
def client(service: str, read_timeout: float = READ_TIMEOUT) -> Any:
    """A service that answers later than `read_timeout` is asked again, unless it is longer than any caller lives."""
    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=read_timeout, retries=retries)
    return Reached(boto3.client(service, config=config), service)


@lru_cache(maxsize=1)
def store() -> Store:
    return Store(DynamoDBTable(client("dynamodb"), environment().table_name))
