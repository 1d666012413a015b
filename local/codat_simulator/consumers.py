"""The webhook consumer endpoints. A consumer's secret is shown in Codat's portal only."""

import base64
import secrets
from typing import Any
from urllib.parse import urlsplit

from local.codat_simulator.bodies import Body, read_json
from local.codat_simulator.errors import CodatError
from local.codat_simulator.records import Consumer
from local.codat_simulator.state import Codat
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import new_id

CONSUMERS_MAX, TAGS_MAX, TAG_MAX = 50, 10, 128


def list_consumers(sim: Codat, _call: ApiCall) -> Answer:
    return Answer(200, {"results": [consumer_json(consumer) for consumer in sim.consumers.values()]})


def create_consumer(sim: Codat, call: ApiCall) -> Answer:
    if len(sim.consumers) >= CONSUMERS_MAX:
        raise CodatError(400, f"There can be at most {CONSUMERS_MAX} webhook consumers.")
    body = Body(read_json(call), "WebhookConsumer")
    url = body.text("url", required=True) or ""
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        body.find("url", "must be an address")
    events, tags = body.texts("eventTypes"), body.texts("companyTags", TAGS_MAX)
    if any(":" not in tag or len(tag) > TAG_MAX for tag in tags):
        body.find("companyTags", f"must be key:value, with at most {TAG_MAX} characters")
    disabled = body.flag("disabled", False)
    body.known(("url", "eventTypes", "companyTags", "disabled"), sim.behaviour)
    body.done()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    consumer = Consumer(new_id(), url, secret, events, tags, disabled)
    sim.consumers[consumer.id] = consumer
    return Answer(201, consumer_json(consumer))


def delete_consumer(sim: Codat, call: ApiCall) -> Answer:
    """Its messages that are still to be sent go with it."""
    if sim.consumers.pop(call.path_params["webhook"].lower(), None) is None:
        raise CodatError(404, "The webhook consumer was not found.")
    return Answer(204)


def consumer_json(consumer: Consumer) -> dict[str, Any]:
    return {
        "id": consumer.id,
        "url": consumer.url,
        "disabled": consumer.disabled,
        "eventTypes": consumer.event_types,
        "companyTags": consumer.company_tags,
    }
