"""The stack as CloudFormation has it before a deployment."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

# Nothing was ever deployed: a change set that nobody ran, or a first deployment that failed and was undone.
_EMPTY = {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}


def is_new(client: Any, stack: str) -> bool:
    """Whether this is the first deployment. `client` is boto3's for CloudFormation.

    Removes the shell that a failed first deployment leaves: CloudFormation can only delete it.
    """
    found = status(client, stack)
    if found in _EMPTY:
        client.delete_stack(StackName=stack)
        client.get_waiter("stack_delete_complete").wait(StackName=stack)
    return found is None or found in _EMPTY


def was_created(client: Any, stack: str) -> bool:
    """Whether the first deployment has run. Whoever does not confirm its change set ends without an error, too."""
    return status(client, stack) == "CREATE_COMPLETE"


def status(client: Any, stack: str) -> str | None:
    """CloudFormation's word for it; none if there is no such stack."""
    try:
        return str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # what it says of a stack that does not exist
            return None
        raise
