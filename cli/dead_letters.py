"""Dead letters: messages that could not be processed. Lists them and puts them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from feedlane.aws.dead_letter_queue import DeadLetter, DeadLetterQueue
from feedlane.aws.put_back import NotPutBack
from feedlane.clock import iso
from feedlane.wiring.dead_letters import KINDS, Kind

NOT_SHOWN = "the others are of the same feeds, or being read elsewhere, or too many. Put these back, and list again."
FIX_FIRST = "Fix the cause first: a message that fails again returns to its dead-letter queue."


class OperatorAws:
    """Implements `Aws` with the operator's own credentials."""

    def __init__(self, stack: str) -> None:
        self.stack = stack
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service)
        return self._clients[service]

    def table_streams(self) -> Any:
        return self.client("dynamodbstreams")

    def queue_url(self, name: str) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=f"{self.stack}-{name}")["QueueUrl"])

    def function_name(self, name: str) -> str:
        return f"{self.stack}-{name}"


stack = click.option("--stack", envvar="FEEDLANE_STACK", required=True, help="Name of the deployed stack.")


@click.group("dead-letters")
def group() -> None:
    """Messages that could not be processed, kept for 14 days. Needs AWS credentials for the queues.

    Putting them back is safe: the ledger keeps the order and never sends a transaction twice.
    """


@group.command("list")
@stack
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
def list_letters(stack: str, kind: str | None) -> None:
    """Count the dead letters of each KIND (or of one KIND), and show them.

    SQS shows at most ten of a feed, and none that somebody else is reading: a last line then says how many are missing.
    Each line has id, time, feed, meaning and reason, but never the message's content.
    """
    with _aws(stack) as aws:
        for listed in [KINDS[kind]] if kind else KINDS.values():
            with _queue(aws, listed) as queue:
                _list(listed, queue)


def _list(kind: Kind, queue: DeadLetterQueue) -> None:
    waiting, shown = queue.count(), 0
    click.echo(f"{kind.name}  {waiting}  {kind.title}")
    for letter in queue.listed():
        click.echo(f"  {_describe(kind, letter)}")
        shown += 1
    if shown < waiting:
        click.echo(f"  showed {shown} of about {waiting}: {NOT_SHOWN}")


@group.command("put-back", epilog=FIX_FIRST)
@stack
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--message", "message_id", help="Put back only the message with this id.")
@click.option("--all", "everything", is_flag=True, help="Put back every message of this kind.")
def put_back(stack: str, kind: str, message_id: str | None, everything: bool) -> None:
    """Put dead letters of KIND back where they came from, in order for each feed.

    A message leaves the dead-letter queue once it is back. Running the command again after a crash is safe: Feedlane
    recognises what it has already processed. If a feed has since recorded later transactions, the ledger refuses the
    earlier ones, and their push operation fails.
    """
    if everything == (message_id is not None):
        raise click.UsageError("Give either --message ID or --all.")
    with _aws(stack) as aws, _queue(aws, KINDS[kind]) as queue:
        returned, kept = _put_back(aws, KINDS[kind], queue, message_id)
    if message_id and not returned and not kept:
        raise click.ClickException(
            f"{message_id} was not found. If ten or more messages of its feed come before it, put those back first."
        )
    click.echo(f"{returned} put back, {kept} left in the queue", err=True)
    if kept:
        raise SystemExit(1)


def _put_back(aws: OperatorAws, kind: Kind, queue: DeadLetterQueue, message_id: str | None) -> tuple[int, int]:
    """How many were put back, and how many were kept. A message that fails again during this run is kept."""
    sent: set[str] = set()
    returned = kept = 0
    for letter in queue.letters():
        if message_id not in (None, letter.id) or {letter.id, letter.deduplication_id} & sent:
            continue
        try:
            sent.add(kind.put_back(aws, letter) or letter.id)
        except NotPutBack as error:
            click.echo(f"{letter.id}  not put back: {error}")
            kept += 1
            continue
        queue.remove(letter)
        click.echo(_describe(kind, letter))
        returned += 1
        if message_id is not None:
            break
    return returned, kept


def _describe(kind: Kind, letter: DeadLetter) -> str:
    reason = letter.reason or "its function kept failing"
    return f"{letter.id}  {iso(letter.sent_at)}  {letter.group or '-'}  {kind.describe(letter)}  {reason}"


def _queue(aws: OperatorAws, kind: Kind) -> DeadLetterQueue:
    return DeadLetterQueue(aws.client("sqs"), aws.queue_url(kind.queue))


@contextmanager
def _aws(stack: str) -> Iterator[OperatorAws]:
    """An AWS error ends the command with AWS's own message."""
    try:
        yield OperatorAws(stack)
    except (ClientError, BotoCoreError) as error:
        raise click.ClickException(str(error)) from error
