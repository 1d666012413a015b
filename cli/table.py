"""The table: what it lost is taken from one that was restored beside it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

# Told already, or gone by themselves: nobody wants them back.
LEFT_OUT = ("EVENT#", "LIMIT#", "STATE#", "SESSION#")


@click.group("table")
def group() -> None:
    """The table of a deployment. Needs AWS credentials that may use it."""


@group.command()
@click.option("--from", "source", required=True, help="Name of the table restored beside it.")
@click.option("--table", required=True, help="Name of the deployment's table.")
@click.option("--write", is_flag=True, help="Do it; without this it only says what is missing.")
def refill(source: str, table: str, write: bool) -> None:
    """Writes what --table lacks of --from. What --table has is not changed, whatever it says."""
    import boto3

    missing = refilled(boto3.client("dynamodb"), source, table, write)
    for kind, number in sorted(missing.items()):
        click.echo(f"{number}  {kind}")
    click.echo(f"{missing.total()} item(s) {'written' if write else 'missing; nothing was written'}", err=True)


def refilled(client: Any, source: str, table: str, write: bool) -> Counter[str]:
    """How many items were missing, by the beginnings of their keys."""
    missing: Counter[str] = Counter()
    for page in client.get_paginator("scan").paginate(TableName=source, ConsistentRead=True):
        for item in page["Items"]:
            if not item["pk"]["S"].startswith(LEFT_OUT) and _lacks(client, table, item, write):
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
