"""What AWS would refuse after minutes, `make deploy` refuses before it builds anything."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from cli.deployment import account, command, file, names, stack
from cli.deployment.file import Deployment
from tests.stack.template import template

# Resources whose name AWS makes if the template gives none. Any other type with a name needs a limit in `names.LIMITS`.
NAME_PROPERTIES = ("Name", "FunctionName", "QueueName", "LogGroupName", "TableName", "TopicName", "RoleName",
                   "PolicyName", "ManagedPolicyName", "AlarmName", "LayerName", "BucketName")  # fmt: skip
# They name a function of the stack, not themselves. An alias has a name too, which does not contain the stack's.
NAMES_A_FUNCTION = {
    f"AWS::Lambda::{kind}" for kind in ("Alias", "EventInvokeConfig", "EventSourceMapping", "Permission")
}


def make_deploy(config: Path, deployment: Deployment) -> Any:
    file.write(config, deployment)
    return CliRunner().invoke(command.deploy, ["--config", str(config)])


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def run(*_: str) -> None:
        pytest.fail("something was built or deployed")

    monkeypatch.setattr(command, "_run", run)
    return tmp_path / "deployment.toml"


def test_every_resource_with_a_name_has_its_limit_known() -> None:
    unknown = {
        resource["Type"]
        for resource in template()["Resources"].values()
        if any(name in resource.get("Properties", {}) for name in NAME_PROPERTIES)
    }
    assert unknown - NAMES_A_FUNCTION == names.LIMITS.keys()


def test_the_longest_possible_name_of_a_stack_fits_every_resource_and_one_more_does_not() -> None:
    longest = "s" * names.stack_length_max()
    assert names.problem(longest) is None
    assert all(len(name.replace(names.STACK, longest)) <= limit for _, name, limit in names.named())
    assert "record_transactions" in str(names.problem(longest + "s"))
    assert "64" in str(names.problem(longest + "s"))


@pytest.mark.parametrize("name", ["", "1st", "feed_lane", "feedlane.", "feed lane", "-feedlane"])
def test_a_name_that_cloudformation_does_not_take_is_refused(name: str) -> None:
    assert names.problem(name)


def test_a_name_that_is_too_long_is_refused_before_anything_is_built(config: Path) -> None:
    result = make_deploy(config, Deployment("f" * 45, "eu-west-1"))
    assert result.exit_code == 1
    assert "45 characters, and may have 44" in result.output


class Lambda:
    """boto3's client for Lambda, of an account with this limit."""

    def __init__(self, allowed: int, reserved_by_others: int = 0, reserved_by_vault: int = 0) -> None:
        self.allowed, self.others, self.vault = allowed, reserved_by_others, reserved_by_vault

    def get_account_settings(self) -> dict[str, Any]:
        unreserved = self.allowed - self.others - self.vault
        return {"AccountLimit": {"ConcurrentExecutions": self.allowed, "UnreservedConcurrentExecutions": unreserved}}

    def get_function_concurrency(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "feedlane-credential_vault"
        return {"ReservedConcurrentExecutions": self.vault} if self.vault else {}


def advice(client: Any, concurrency: str = "full") -> str | None:
    return account.advice(client, "feedlane", "eu-west-1", concurrency)


def test_a_new_account_is_told_what_to_ask_for_and_how_to_deploy_until_then() -> None:
    with pytest.raises(account.TooLow) as raised:
        advice(Lambda(10))
    text = str(raised.value)
    assert "allows 10 executions" in text
    assert "request-service-quota-increase" in text
    assert "--desired-value 1000 --region eu-west-1" in text
    assert 'Concurrency = "small"' in text


def test_a_new_account_can_deploy_small_and_is_reminded() -> None:
    assert "--desired-value 1000" in str(advice(Lambda(10), "small"))


def test_a_usual_account_has_enough() -> None:
    assert advice(Lambda(1000)) is None
    assert "full" in str(advice(Lambda(1000), "small"))


def test_what_other_functions_reserve_is_not_free() -> None:
    assert "Of 1000 executions at once, 200 are free" in str(advice(Lambda(1000, reserved_by_others=800)))
    with pytest.raises(account.TooLow):
        advice(Lambda(1000, reserved_by_others=900))


def test_an_update_counts_what_the_vault_has_reserved_already() -> None:
    assert advice(Lambda(account.needed(), reserved_by_vault=account.reserved())) is None


def test_who_may_not_read_the_limit_is_told_what_is_needed_and_can_go_on() -> None:
    class Forbidden:
        def get_account_settings(self) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetAccountSettings")

    assert str(account.needed()) in str(advice(Forbidden()))


def test_the_template_names_the_limit_that_is_checked() -> None:
    assert f"fewer than {account.needed()} " in template()["Parameters"]["Concurrency"]["Description"]


def test_a_small_deployment_fits_an_account_of_ten() -> None:
    assert account.behind_queues("small") <= 10


class CloudFormation:
    """boto3's client, with one stack or none."""

    def __init__(self, status: str | None) -> None:
        self.status, self.deleted = status, False

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self.status is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self.status}]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        self.deleted = True

    def get_waiter(self, _: str) -> Any:
        return self

    def wait(self, StackName: str) -> None:  # noqa: N803
        assert self.deleted


@pytest.mark.parametrize(
    ("status", "is_new", "deleted"),
    [
        (None, True, False),
        ("REVIEW_IN_PROGRESS", True, True),
        ("ROLLBACK_COMPLETE", True, True),
        ("CREATE_COMPLETE", False, False),
        ("UPDATE_ROLLBACK_COMPLETE", False, False),
    ],
)
def test_only_the_shell_of_a_failed_first_deployment_is_removed(
    status: str | None, is_new: bool, deleted: bool
) -> None:
    client = CloudFormation(status)
    assert stack.is_new(client, "feedlane") is is_new
    assert client.deleted is deleted


class Session:
    """boto3's, of an account with this limit and this stack."""

    def __init__(self, allowed: int, status: str | None) -> None:
        self.clients = {"lambda": Lambda(allowed), "cloudformation": CloudFormation(status)}

    def client(self, service: str) -> Any:
        return self.clients[service]


def test_a_new_account_is_refused_before_anything_is_built(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.boto3, "Session", lambda region_name: Session(10, None))
    result = make_deploy(config, Deployment("feedlane", "eu-west-1"))
    assert result.exit_code == 1
    assert 'Until it is granted, deploy with Concurrency = "small".' in result.output


def test_a_new_account_deploys_small(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    account_of_ten = Session(10, None)

    def run(*arguments: str) -> None:
        done.append(arguments[0] if arguments[0] == "make" else arguments[1])
        account_of_ten.clients["cloudformation"].status = "CREATE_COMPLETE"

    monkeypatch.setattr(command, "_run", run)
    monkeypatch.setattr(command.boto3, "Session", lambda region_name: account_of_ten)
    result = make_deploy(config, Deployment("feedlane", "eu-west-1", {"Concurrency": "small"}))
    assert result.exit_code == 0, result.output
    assert "request-service-quota-increase" in result.output
    assert done == ["make", "deploy", "deploy"]


def test_the_layers_are_built_for_what_the_functions_will_run_on(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    monkeypatch.setattr(command, "_run", lambda *arguments: built.extend(arguments) if arguments[0] == "make" else None)
    monkeypatch.setattr(command, "_ask_aws", lambda *_: False)
    make_deploy(config, Deployment("feedlane", "eu-west-1", {"PythonRuntime": "python3.14", "Architecture": "x86_64"}))
    assert built[-2:] == ["RUNTIME=python3.14", "ARCHITECTURE=x86_64"]
