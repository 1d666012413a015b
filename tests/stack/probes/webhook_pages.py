"""Probes of the portal's pages of webhooks."""

from __future__ import annotations

from feedlane.ids import new_id
from feedlane.webhooks import items as webhook_items
from local.instance import Instance
from tests.stack.probes.calling import Failed
from tests.stack.probes.events import listening_consumer
from tests.stack.probes.given import given
from tests.stack.probes.pages import operator, token_for


def creates_a_consumer(instance: Instance) -> None:
    own = given(instance)
    cookies = operator(own)
    url = f"https://probe.example/{new_id()}"
    form = {"url": url, "company_tags": "probe:never", "formToken": token_for(cookies)}
    try:
        answer = own.functions.page("portal", "POST", "/portal/webhooks", form=form, cookies=cookies)
        if answer["statusCode"] != 201:
            raise Failed(f"a new webhook: {answer['statusCode']}")
    finally:
        for consumer in webhook_items.consumers(own.store):
            if consumer.url == url:
                own.api.delete(f"/webhooks/{consumer.id}").raise_for_status()


def sends_a_test(instance: Instance) -> None:
    own = given(instance)
    cookies = operator(own)
    with listening_consumer(own, "probe:never") as (consumer_id, _):
        form = {"formToken": token_for(cookies)}
        answer = own.functions.page(
            "portal", "POST", f"/portal/webhooks/{consumer_id}/test", form=form, cookies=cookies
        )
        if answer["statusCode"] != 303:
            raise Failed(f"a test webhook: {answer['statusCode']}")
