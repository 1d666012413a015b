"""The table: restores lost items from a copy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from cli.wording import counted

# Already published, or short-lived: not worth restoring.
SKIPPED = ("EVENT#", "LIMIT#", "XERO#", "STATE#", "SESSION#")


@click.group("table")
def group() -> None:
    """Repair the deployment's table. Needs AWS credentials with access to it."""


@group.command()
@click.option("--from", "source", required=True, help="Name of the restored table.")
@click.option("--table", required=True, help="Name of the deployment's table.")
@click.option("--write", is_flag=True, help="Write the missing items. Without this, only report them.")
def refill(source: str, table: str, write: bool) -> None:
    """Copy to --table the items it lacks from --from. Existing items are never changed."""
    import boto3

    missing = refilled(boto3.client("dynamodb"), source, table, write)
    for kind, number in sorted(missing.items()):
        click.echo(f"{number}  {kind}")
    click.echo(f"{counted(missing.total(), 'item')} {'written' if write else 'missing; nothing written'}", err=True)


def refilled(client: Any, source: str, table: str, write: bool) -> Counter[str]:
    """Counts the missing items by the prefixes of their keys."""
    missing: Counter[str] = Counter()
    for page in client.get_paginator("scan").paginate(TableName=source, ConsistentRead=True):
        for item in page["Items"]:
            if not item["pk"]["S"].startswith(SKIPPED) and _lacks(client, table, item, write):
                missing[f"{item['pk']['S'].split('#')[0]} {item['sk']['S'].split('#')[0]}"] += 1
    return missing


def _lacks(client: Any, table: str, item: dict[str, Any], write: bool) -> bool:
    if not write:
        key = {"pk": item["pk"], "sk": item["sk"]}
        return "Item" not in client.get_item(TableName=table, Key=key, ConsistentRead=True, ProjectionExpression="pk")
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True
