"""Benchmarks that need no deployed system run here, so that they do not break unnoticed."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from tests.benchmarks import cost, idle, logged, stored
from tests.benchmarks.cost import PRICES
from tests.builders import NOW
from tests.handlers import sample


@pytest.fixture(scope="module")
def pushes() -> cost.Used:
    """One push of a thousand for each feed."""
    return cost.used(len(cost.FEEDS) * cost.PUSH, {})


def test_what_a_push_of_a_thousand_costs_can_be_counted_to_the_last_webhook(pushes: cost.Used) -> None:
    units = pushes.units
    assert units["http_api_request"] == units["event"] == len(cost.FEEDS)
    assert units["kms_request"] == units["lambda_request"]
    assert units["dynamodb_gb_month"] > units["dynamodb_backup_gb_month"] > 0
    for name in ("log_gb", "log_gb_month", "data_out_gb", "secrets_manager_call"):
        assert units[name] > 0


def test_every_price_says_what_it_was_read_in() -> None:
    unread = {name for name, price in PRICES.items() if not price["checked"]}
    assert unread == {"log_gb_month"}


def test_every_unit_has_a_price_and_every_price_is_part_of_the_bill(pushes: cost.Used) -> None:
    counted = set(pushes.units) | set(cost.monthly({"a metric"})) | set(idle.used())
    listed = {name for names in cost.PARTS.values() for name in names}
    assert counted <= listed == set(PRICES)


def test_an_item_is_stored_with_its_overhead_in_each_index_until_it_expires() -> None:
    def gb_months(**attributes: object) -> float:
        return stored.year_of({("A", "B"): {"pk": "A", "sk": "B"} | attributes}, [], NOW)["dynamodb_gb_month"]

    year = (len("pkAskB") + 100) * 12 / 1e9
    assert gb_months() == pytest.approx(year)
    assert gb_months(gsi1pk="", gsi1sk="") == pytest.approx(2 * (year + len("gsi1pkgsi1sk") * 12 / 1e9))
    assert gb_months(expires_at=int(NOW.timestamp())) == 0
    in_half_a_year = int((NOW + timedelta(days=365 / 2)).timestamp())
    assert year / 2 < gb_months(expires_at=in_half_a_year) < year * 0.6
    assert stored.year_of({("A", "B"): {"pk": "A", "sk": "B"}}, [("A", "B")], NOW)["dynamodb_gb_month"] == 0


@pytest.mark.parametrize("function", sorted(logged.WORK))
def test_what_a_handler_logs_of_a_delivered_push_is_no_error(function: str) -> None:
    assert not any(word in line for line in logged.handler_lines(function) for word in ("ERROR", "WARNING", "xception"))


@pytest.mark.parametrize(
    ("expression", "runs"), [("rate(10 minutes)", 144), ("cron(0/10 3-8 * * ? *)", 36), ("cron(30 2 * * ? *)", 1)]
)
def test_the_runs_of_a_schedule_are_counted(expression: str, runs: int) -> None:
    assert idle.runs_a_day(expression) == runs


def test_a_million_transactions_cost_no_more_than_three_dollars_all_in(pushes: cost.Used) -> None:
    million = sum(cost.priced(pushes.units).values()) * 100
    assert million + sum(cost.priced(cost.monthly(pushes.metrics)).values()) < 3


def test_a_month_without_customers_costs_no_more_than_five_dollars() -> None:
    assert sum(cost.priced(idle.used()).values()) < 5


def test_what_is_told_only_when_something_is_wrong_is_not_paid_for_while_all_is_well(pushes: cost.Used) -> None:
    """A custom metric is paid for by the hours in which it is sent."""
    assert pushes.metrics == set()


@pytest.mark.parametrize("function", ["record_transactions", "push_statements", "check_statements", "route_events",
                                      "deliver_webhooks"])  # fmt: skip
def test_a_full_batch_that_went_well_logs_one_line(function: str) -> None:
    event = sample(function)
    [record] = event["Records"]
    records = [copy.deepcopy(record) | {"messageId": f"message-{number}"} for number in range(10)]
    for number, one in enumerate(records):
        if "MessageGroupId" in one["attributes"]:
            one["attributes"]["MessageGroupId"] += str(number)
    assert len(logged.lines_of(function, {"Records": records})) <= 1


@pytest.mark.parametrize("function", sorted(logged.WORK))
def test_an_invocation_that_went_well_logs_at_most_one_line_and_none_of_lambdas_own(function: str) -> None:
    assert len(logged.handler_lines(function)) <= 1
    assert logged.platform_bytes(function) == 0
    assert not logged.is_traced()
