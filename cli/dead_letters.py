"""Dead letters: messages that could not be worked on. What is there, and putting it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.dead_letter_kinds import KINDS, Kind
from cli.dead_letter_queue import DeadLetterQueue, Letter
from cli.putting_back import NotPutBack
from feedlane.clock import iso

WAIT_AND_SEE = "Mend the cause first: what fails again comes back here."


class OperatorsAws:
    """Implements `Aws` with the operator's own credentials."""

    def __init__(self, stack: str) -> None:
        self.stack = stack
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service)
        return self._clients[service]

    def queue_url(self, name: str) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=f"{self.stack}-{name}")["QueueUrl"])


stack = click.option("--stack", envvar="FEEDLANE_STACK", required=True, help="Name of the deployed stack.")


@click.group("dead-letters")
def group() -> None:
    """Messages that could not be worked on, kept for 14 days. Needs AWS credentials for the queues.

    Nothing is lost with them and nothing goes out of order by putting them back: the ledger decides what is sent.
    """


@group.command("list")
@stack
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
def list_letters(stack: str, kind: str | None) -> None:
    """Prints how many dead letters there are of each KIND (or of one), and the first of them.

    Of each: id, since when it is there, its feed, what it means, why it is there. Never its content.
    """
    with _aws(stack) as aws:
        for one in [KINDS[kind]] if kind else KINDS.values():
            with _queue(aws, one) as queue:
                click.echo(f"{one.name}  {queue.count()}  {one.what}")
                for letter in queue.first():
                    click.echo(f"  {_told(one, letter)}")


@group.command("put-back", epilog=WAIT_AND_SEE)
@stack
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--message", "message_id", help="Only the letter with this id.")
@click.option("--all", "everything", is_flag=True, help="Every letter of this kind.")
def put_back(stack: str, kind: str, message_id: str | None, everything: bool) -> None:
    """Puts dead letters of KIND back to where they came from, each feed's in their order.

    A letter is removed once it is back. Run again after a crash, it does no harm: what was done before is recognised.
    A transaction dated before what its feed has recorded since is refused by the ledger, as a failed push operation.
    """
    if everything == (message_id is not None):
        raise click.UsageError("Say which: --message ID, or --all.")
    with _aws(stack) as aws, _queue(aws, KINDS[kind]) as queue:
        back, stayed = _put_back(aws, KINDS[kind], queue, message_id)
    if message_id and not back and not stayed:
        raise click.ClickException(
            f"{message_id} is not there, or behind ten others of its feed: put those back first."
        )
    click.echo(f"{back} put back, {stayed} stayed", err=True)
    if stayed:
        raise SystemExit(1)


def _put_back(aws: OperatorsAws, kind: Kind, queue: DeadLetterQueue, message_id: str | None) -> tuple[int, int]:
    """How many went back, and how many stayed. One that comes back meanwhile stays where it is."""
    sent: set[str] = set()
    back = stayed = 0
    for letter in queue.letters():
        if message_id not in (None, letter.id) or {letter.id, letter.deduplication_id} & sent:
            continue
        try:
            sent.add(kind.back(aws, letter) or letter.id)
        except NotPutBack as why:
            click.echo(f"{letter.id}  stays: {why}")
            stayed += 1
            continue
        queue.remove(letter)
        click.echo(_told(kind, letter))
        back += 1
        if message_id is not None:
            break
    return back, stayed


def _told(kind: Kind, letter: Letter) -> str:
    why = letter.reason or "its function failed again and again"
    return f"{letter.id}  {iso(letter.sent_at)}  {letter.group or '-'}  {kind.means(letter)}  {why}"


def _queue(aws: OperatorsAws, kind: Kind) -> DeadLetterQueue:
    return DeadLetterQueue(aws.client("sqs"), aws.queue_url(kind.queue))


@contextmanager
def _aws(stack: str) -> Iterator[OperatorsAws]:
    """What AWS refuses ends the command with its words."""
    try:
        yield OperatorsAws(stack)
    except (ClientError, BotoCoreError) as error:
        raise click.ClickException(str(error)) from error
