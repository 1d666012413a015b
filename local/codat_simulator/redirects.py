"""Where a customer goes after the linked pages: the redirect template with its placeholders."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from local.codat_simulator.records import Connection
from local.codat_simulator.shapes import XERO
from local.codat_simulator.state import Codat

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Ending:
    """How a visit ends. `status_text` is the integration's own wording."""

    status_code: int
    error_message: str = ""
    status_text: str = ""


ENDINGS = {
    "linked": Ending(200),
    "existing": Ending(201),
    "cancelled": Ending(403, "User cancelled", "User cancelled linking"),
    "failed": Ending(500, "Unknown error occurred", "Internal error"),
    "unsupported": Ending(501, "Not supported", "Not supported"),
}


def redirect_url(sim: Codat, connection: Connection, ending: Ending, parameters: Mapping[str, str]) -> str | None:
    """The template with its placeholders filled, percent-encoded; None without a template that may be followed.

    A name that Codat does not know is a parameter of the link's address; without it, it is empty.
    """
    template = sim.profile.redirect_url
    if not template:
        return None
    values = {**_own(parameters), **_known(sim, connection, ending)}
    url = PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), template)
    return url if _may_go(sim, template, url) else None


def _known(sim: Codat, connection: Connection, ending: Ending) -> dict[str, str]:
    organisation = sim.organisation(connection)
    stop = "." if ending.error_message and sim.behaviour.error_texts == "fullStop" else ""
    return {
        "clientId": sim.client_id,
        "companyId": connection.company_id,
        "connectionId": connection.id,
        "integrationId": XERO["integrationId"],
        "sourceId": XERO["sourceId"],
        "platform": XERO["integrationKey"],
        "platformName": XERO["platformName"],
        "sourceType": XERO["sourceType"],
        "statusCode": str(ending.status_code),
        "errorMessage": ending.error_message + stop,
        "statusText": ending.status_text,
        "data.company.companyName": organisation.name if organisation is not None else "",
    }


def _own(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name != "otp" and not name.startswith("link.")}


def _may_go(sim: Codat, template: str, url: str) -> bool:
    """A host made of placeholders has to be listed in the profile, scheme included."""
    host = template.partition("://")[2].partition("/")[0]
    if not PLACEHOLDER.search(host):
        return True
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" in {allowed.rstrip("/") for allowed in sim.profile.white_list_urls}
