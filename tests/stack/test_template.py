"""What the linters do not know about the template."""

import re
from pathlib import Path
from typing import Any

import pytest

from cli.deployment import names
from feedlane.aws.batch import RETRY_PAUSE_SECONDS_MAX, RETRY_PAUSE_SECONDS_MIN
from feedlane.pushes.message import BATCH_SIZE_MAX
from tests.stack.template import ROOT, allows_recursion, functions, of_type, statements, template, variables_of


@pytest.mark.parametrize("function", functions())
def test_a_function_has_its_own_role_and_a_log_group_with_retention(function: str) -> None:
    properties = functions()[function]
    log = template()["Resources"][properties["LoggingConfig"]["LogGroup"]["Ref"]]

    assert log["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    roles = [other["Role"]["Fn::GetAtt"][0] for other in functions().values()]
    assert roles.count(properties["Role"]["Fn::GetAtt"][0]) == 1


@pytest.mark.parametrize("function", functions())
def test_lambda_lets_a_function_run_in_loops(function: str) -> None:
    """A message that checks again later is a loop; Lambda would stop its seventeenth run."""
    assert allows_recursion(function)


def test_every_folder_of_functions_is_deployed_and_every_deployed_one_exists() -> None:
    folders = {app.parent.name for app in (ROOT / "functions").glob("*/app.py")}
    assert folders == set(functions())


def test_a_visibility_timeout_is_six_times_its_functions_timeout() -> None:
    resources = template()["Resources"]
    mappings = [mapping["Properties"] for mapping in of_type("AWS::Lambda::EventSourceMapping").values()]
    checked = 0
    for mapping in mappings:
        source = resources[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        if source["Type"] == "AWS::SQS::Queue":
            timeout = resources[mapping["FunctionName"]["Ref"]]["Properties"]["Timeout"]
            assert source["Properties"]["VisibilityTimeout"] == 6 * timeout
            checked += 1
    assert checked == 5


def test_a_full_batch_is_as_large_as_the_mapping_says() -> None:
    """Whoever records full batches waits for more; see `record_transactions`."""
    assert (
        of_type("AWS::Lambda::EventSourceMapping")["RecordTransactionsMapping"]["Properties"]["BatchSize"]
        == BATCH_SIZE_MAX
    )


def test_an_outage_of_ten_minutes_makes_no_dead_letters() -> None:
    """Of pushes above all: what waits behind a dead letter overtakes it, and then it may have to be refused."""
    checked = 0
    for queue in of_type("AWS::SQS::Queue").values():
        redrive = queue["Properties"].get("RedrivePolicy")
        if redrive is not None:
            tries = range(redrive["maxReceiveCount"] - 1)
            assert sum(min(RETRY_PAUSE_SECONDS_MAX, RETRY_PAUSE_SECONDS_MIN * 2**number) for number in tries) >= 600
            checked += 1
    assert checked == 5


def test_every_queue_redrives_or_is_where_others_redrive_to_and_has_an_alarm() -> None:
    queues = of_type("AWS::SQS::Queue")
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    dead_letters = {id for id, queue in queues.items() if "RedrivePolicy" not in queue["Properties"]}
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in alarms
        if alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    # The watch counts the others.
    _, counted = variables_of("tend_connections")["DEAD_LETTER_QUEUE_URLS"]["Fn::Join"]  # type: ignore[index]
    watched |= {url["Ref"] for url in counted}
    for queue in queues.values():
        redrive = queue["Properties"].get("RedrivePolicy")
        assert redrive is None or redrive["deadLetterTargetArn"]["Fn::GetAtt"][0] in dead_letters
    assert watched == dead_letters


def test_layers_are_built_for_the_runtime_that_the_template_deploys_by_default() -> None:
    parameters = template()["Parameters"]
    for file in ("layers/build.py", "Makefile"):
        text = Path(ROOT / file).read_text()
        runtime, architecture = parameters["PythonRuntime"]["Default"], parameters["Architecture"]["Default"]
        assert re.search(rf"RUNTIME .*{runtime}\b", text), file
        assert re.search(rf"ARCHITECTURE .*{architecture}\b", text), file


def test_a_removed_stack_can_be_deployed_again() -> None:
    """What is kept when the stack is removed has no fixed name, which the next stack of this name would want."""
    resources = template()["Resources"]
    kept = {id for id, resource in resources.items() if resource.get("DeletionPolicy", "Delete") != "Delete"}
    named = {id for id, resource in resources.items() if resource["Type"] in names.LIMITS}
    assert kept == {"Table"}
    assert not kept & named
    assert "TableName" not in resources["Table"]["Properties"]


def test_a_first_deployment_that_fails_leaves_nothing() -> None:
    """`Retain` would keep an empty table for each attempt."""
    policies = {resource.get("DeletionPolicy", "Delete") for resource in template()["Resources"].values()}
    assert policies == {"Delete", "RetainExceptOnCreate"}


def test_an_update_that_replaces_the_table_keeps_the_old_one() -> None:
    assert template()["Resources"]["Table"]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("function", functions())
def test_lambda_makes_no_log_group_of_its_own(function: str) -> None:
    """It would be in the way of the stack's when the stack is deployed again, and never be deleted."""
    actions = [action for statement in statements(function) for action in _listed(statement["Action"])]
    assert not {"logs:CreateLogGroup", "logs:*", "*"} & set(actions)
    assert "LogGroup" in functions()[function]["LoggingConfig"]


def test_access_logs_do_not_use_up_the_accounts_resource_policy() -> None:
    """API Gateway adds each other group to a policy of 5,120 characters; those below /aws/vendedlogs/ share a line."""
    destinations = [
        stage["Properties"]["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]
        for stage in of_type("AWS::ApiGatewayV2::Stage").values()
    ]
    assert destinations
    for id in destinations:
        log = template()["Resources"][id]["Properties"]
        assert log["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/")
        assert log["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_log_group_has_a_retention() -> None:
    assert all("RetentionInDays" in log["Properties"] for log in of_type("AWS::Logs::LogGroup").values())


def test_runtimes_that_can_be_chosen_are_those_that_the_code_allows() -> None:
    allowed = template()["Parameters"]["PythonRuntime"]["AllowedValues"]
    assert allowed == ["python3.11", "python3.12", "python3.13", "python3.14"]
    assert 'requires-python = ">=3.11,<3.15"' in (ROOT / "pyproject.toml").read_text()
    assert "(3, 11) <= sys.version_info[:2] <= (3, 14)" in (ROOT / "local/setup.sh").read_text()


def test_every_function_is_reached_by_something() -> None:
    reached = str(
        [
            resource
            for kind in ("Permission", "EventSourceMapping")
            for resource in of_type(f"AWS::Lambda::{kind}").values()
        ]
        + list(of_type("AWS::Scheduler::Schedule").values())
    )
    unreached = [id for id in of_type("AWS::Serverless::Function") if f"'{id}'" not in reached]
    # Invoked by the other functions, with their roles.
    assert unreached == ["CredentialVault"]


def test_api_gateway_may_invoke_the_function_of_every_route() -> None:
    """The local AWS asks for no such permission; AWS answers 500 without it."""
    allowed = {
        (permission["Properties"]["FunctionName"]["Ref"], source["Fn::Sub"].partition("${Api}/*/")[2])
        for permission in of_type("AWS::Lambda::Permission").values()
        if isinstance(source := permission["Properties"].get("SourceArn"), dict)
    }
    for id, route in of_type("AWS::ApiGatewayV2::Route").items():
        integration = route["Properties"]["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
        uri = template()["Resources"][integration]["Properties"]["IntegrationUri"]["Fn::Sub"]
        function = uri.partition("/functions/${")[2].partition(".Arn}")[0]
        method, _, path = route["Properties"]["RouteKey"].partition(" ")
        if path:
            method = f"{'*' if method == 'ANY' else method}{path.replace('{proxy+}', '*')}"
        assert (function, method) in allowed, f"{id}: {function} may not be invoked for {method}"


@pytest.mark.parametrize("function", ["link", "oauth_callback", "public_api", "portal", "push_statements",
                                      "check_statements", "tend_connections"])  # fmt: skip
def test_who_tells_of_connections_knows_where_link_is(function: str) -> None:
    """An event of a connection carries its link."""
    assert "PUBLIC_URL" in variables_of(function)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
