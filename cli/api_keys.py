"""API keys, written straight to the table: the first key cannot come from the API."""

from __future__ import annotations

import click

from feedlane.clock import iso, system_clock
from feedlane.errors import FeedlaneError
from feedlane.ids import new_id
from feedlane.store.store import Store

table = click.option("--table", required=True, help="Name of the deployment's DynamoDB table.")


@click.group("api-key")
def group() -> None:
    """Create, list and delete API keys. Needs AWS credentials with access to the table."""


@group.command()
@table
@click.option("--name", required=True, help="What the key is for (at most 50 characters).")
def create(table: str, name: str) -> None:
    """Create a key and print it. It is shown only once."""
    from feedlane.settings import api_keys

    try:
        _, key = api_keys.create(_store(table), system_clock(), new_id, name)
    except FeedlaneError as error:
        raise click.ClickException(str(error)) from error
    click.echo(key)


@group.command()
@table
@click.argument("key_id", metavar="ID")
def delete(table: str, key_id: str) -> None:
    """Delete the key with this ID (see `list`). It stops working within five seconds."""
    from feedlane.settings import api_keys

    try:
        api_keys.delete(_store(table), key_id)
    except FeedlaneError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{key_id} is deleted.")


@group.command("list")
@table
def list_keys(table: str) -> None:
    """List the keys: id, last four characters, creation time, name."""
    from feedlane.settings import items as settings_items

    for key in settings_items.api_keys(_store(table)):
        click.echo(f"{key.id}  …{key.ending}  {iso(key.created)}  {key.name}")


def _store(table: str) -> Store:
    import boto3

    from feedlane.aws.dynamodb import DynamoDBTable

    return Store(DynamoDBTable(boto3.client("dynamodb"), table))
