"""How many executions of Lambda the account allows at once, and whether that is enough.

All functions of the account share them. A new account has 10 until it asks for more.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.template import template

# AWS keeps as many for functions that have reserved none, in each account.
UNRESERVED_MIN = 100
QUOTA_CODE = "L-B99A9384"
ASK_FOR = 1000


class TooLow(Exception):
    """AWS would refuse the deployment."""


def reserved() -> int:
    """What `Concurrency=full` reserves for the vault."""
    return int(template()["Resources"]["CredentialVault"]["Properties"]["ReservedConcurrentExecutions"]["Fn::If"][1])


def behind_queues(concurrency: str) -> int:
    """The most that the functions behind queues run at once."""
    choice = 1 if concurrency == "full" else 2
    mappings = [
        resource["Properties"]["ScalingConfig"]["MaximumConcurrency"]["Fn::If"][choice]
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping" and "ScalingConfig" in resource["Properties"]
    ]
    return sum(mappings)


def needed() -> int:
    """For `Concurrency=full`: the vault's, those behind queues, and what AWS keeps, which the pages and the API use."""
    return reserved() + behind_queues("full") + UNRESERVED_MIN


def advice(client: Any, stack: str, region: str, concurrency: str) -> str | None:
    """What to do about the account's limit, or none. `client` is boto3's for Lambda.

    Raises `TooLow` if the vault's reservation does not fit, which AWS would find out after minutes.
    """
    try:
        limits = client.get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError) as error:
        return f"The account's limit of concurrent executions is unknown ({error}). Feedlane needs {needed()}."
    allowed, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    free = unreserved + _reserved_before(client, stack)
    if concurrency == "small":
        if free >= needed():
            return f'The account allows {allowed} executions at once: Feedlane is faster with Concurrency = "full".'
        return f"The account allows {allowed} executions at once. {_how_to_ask(region)}"
    if free - reserved() < UNRESERVED_MIN:
        raise TooLow(
            f"The account allows {allowed} executions of Lambda at once, {free} of them free. The vault reserves "
            f"{reserved()}, and AWS wants {UNRESERVED_MIN} left; Feedlane needs {needed()} in all. "
            f'{_how_to_ask(region)} Until it is granted, deploy with Concurrency = "small".'
        )
    if free < needed():
        return f"Of {allowed} executions at once, {free} are free; Feedlane may need {needed()}. {_how_to_ask(region)}"
    return None


def _reserved_before(client: Any, stack: str) -> int:
    """What this stack has reserved already."""
    try:
        answer = client.get_function_concurrency(FunctionName=f"{stack}-credential_vault")
    except (BotoCoreError, ClientError):
        return 0
    return int(answer.get("ReservedConcurrentExecutions", 0))


def _how_to_ask(region: str) -> str:
    return (
        f"Ask for {ASK_FOR:,}: aws service-quotas request-service-quota-increase --service-code lambda "
        f"--quota-code {QUOTA_CODE} --desired-value {ASK_FOR} --region {region}."
    )
