"""A probe of the portal's page of webhooks."""

from __future__ import annotations

from feedlane.web.cookies import PORTAL
from feedlane.web.sessions import form_token
from local.instance import Instance
from tests.stack.probes.calling import Failed
from tests.stack.probes.events import listening_consumer
from tests.stack.probes.given import given
from tests.stack.probes.pages import operator


def sends_a_test(instance: Instance) -> None:
    own = given(instance)
    cookies = operator(own)
    with listening_consumer(own, "probe:never") as (consumer_id, _):
        form = {"formToken": form_token(cookies[PORTAL])}
        answer = own.functions.page(
            "portal", "POST", f"/portal/webhooks/{consumer_id}/test", form=form, cookies=cookies
        )
        if answer["statusCode"] != 303:
            raise Failed(f"a test webhook: {answer['statusCode']}")
