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


@cache
def client(service: str, read_timeout: int = 20) -> Any:
    config = Config(connect_timeout=3, read_timeout=read_timeout, retries={"mode": "standard", "total_max_attempts": 4})
    return Reached(boto3.client(service, config=config), service)


@lru_cache(maxsize=1)
def store() -> Store:
    return Store(DynamoDBTable(client("dynamodb"), environment().table_name))
