"""Probes of the portal's set-up guide."""

from __future__ import annotations

from feedlane.upkeep import self_test
from local.instance import Instance
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import given
from tests.stack.probes.pages import operator, token_for


def tests_the_integration(instance: Instance) -> None:
    own = given(instance)
    cookies = operator(own)
    form = {"formToken": token_for(cookies)}
    answer = own.functions.page("portal", "POST", "/portal/set-up/test", form=form, cookies=cookies)
    if answer["statusCode"] != 303:
        raise Failed(f"the test of the integration: {answer['statusCode']}")
    if self_test.last_test(own.store) is None:
        raise Failed("the test of the integration was not stored")
