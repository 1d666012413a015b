"""The settings and actions under `/_simulator/` that Xero's simulator has not. Every setter answers the new state."""

from typing import Any

from local.codat_simulator import control_views as views
from local.codat_simulator.connections import link as link_connection
from local.codat_simulator.connections import sever
from local.codat_simulator.errors import Finding
from local.codat_simulator.limits import Allowances
from local.codat_simulator.records import ApiKey, LinkSettings, Outcome, Profile
from local.codat_simulator.redirects import ENDINGS
from local.codat_simulator.state import Codat, Timing
from local.simulator.control_fields import ControlError, Fields
from local.simulator.organisations import new_id

OUTCOMES = ("Success", "Failed", "TimedOut", "Never")


def set_timing(sim: Codat, body: Any) -> Any:
    fields, timing = Fields(body, views.timing(sim)), sim.timing
    sim.timing = Timing(
        push_seconds=fields.seconds("pushSeconds", timing.push_seconds),
        mapping_seconds=fields.seconds("mappingSeconds", timing.mapping_seconds),
        webhook_seconds=fields.seconds("webhookSeconds", timing.webhook_seconds),
        response_seconds=fields.seconds("responseSeconds", timing.response_seconds),
        webhook_copies=fields.whole("webhookCopies", timing.webhook_copies, minimum=1),
    )
    return views.timing(sim)


def set_limits(sim: Codat, body: Any) -> Any:
    """`companies` may be null: no limit."""
    fields, allowed = Fields(body, views.limits(sim)), sim.limits.allowances
    companies = fields.whole("companies") if fields.has("companies") else None
    sim.limits.allowances = Allowances(
        day=fields.whole("day", allowed.day),
        minute=fields.whole("minute", allowed.minute),
        concurrent=fields.whole("concurrent", allowed.concurrent),
        companies=companies if fields.mentions("companies") else allowed.companies,
    )
    return views.limits(sim)


def set_link(sim: Codat, body: Any) -> Any:
    fields, link = Fields(body, views.link(sim)), sim.link
    tenant_id = fields.text("tenantId").lower() if fields.has("tenantId") else link.tenant_id
    if tenant_id is not None and tenant_id not in sim.organisations:
        raise fields.error("tenantId", "no such organisation")
    sim.link = LinkSettings(
        mode=fields.one_of("mode", ("auto", "page"), link.mode),
        outcome=fields.one_of("outcome", tuple(ENDINGS), link.outcome),
        tenant_id=tenant_id,
        maps=fields.one_of("maps", ("nothing", "newAccounts"), link.maps),
    )
    return views.link(sim)


def set_profile(sim: Codat, body: Any) -> Any:
    """Only what is given, unlike the API's own PUT."""
    fields, profile = Fields(body, views.profile(sim)), sim.profile
    sim.profile = Profile(
        name=fields.text("name", profile.name),
        redirect_url=fields.text("redirectUrl") if fields.has("redirectUrl") else profile.redirect_url,
        logo_url=fields.text("logoUrl", profile.logo_url),
        icon_url=fields.text("iconUrl", profile.icon_url),
        white_list_urls=fields.texts("whiteListUrls", profile.white_list_urls),
    )
    return views.profile(sim)


def set_integration(sim: Codat, body: Any) -> Any:
    """The switch of Xero in Codat's portal."""
    sim.xero_enabled = Fields(body, ("enabled",)).flag("enabled", sim.xero_enabled)
    return views.integration(sim)


def set_keys(sim: Codat, body: Any) -> Any:
    """All valid API keys, as the portal would have them; an empty list withdraws every key."""
    keys = Fields(body, ("keys",)).texts("keys")
    sim.api_keys = [ApiKey(new_id(), f"key {number}", key, sim.now()) for number, key in enumerate(keys, 1)]
    return views.keys(sim)


def throttle(sim: Codat, tenant_id: str, body: Any) -> Any:
    """Xero throttles Codat for this organisation: its operations stay Pending for `seconds`."""
    if tenant_id.lower() not in sim.organisations:
        raise ControlError("tenantId", "no such organisation", status=404)
    sim.throttled[tenant_id.lower()] = sim.after(Fields(body, ("seconds",)).seconds("seconds"))
    return {"tenantId": tenant_id.lower(), "seconds": body["seconds"]}


def add_outcome(sim: Codat, body: Any) -> Any:
    """How the next push operations end. Lines arrive with a Success, unless `arrives` says otherwise."""
    fields = Fields(body, ("status", "reason", "statusCode", "seconds", "arrives", "errors", "accountId", "times"))
    status = fields.one_of("status", OUTCOMES)
    sim.outcomes.append(
        Outcome(
            status=status,  # type: ignore[arg-type]
            reason=fields.text("reason") if fields.has("reason") else "",
            status_code=fields.whole("statusCode", minimum=100) if fields.has("statusCode") else None,
            seconds=fields.seconds("seconds") if fields.has("seconds") else None,
            arrives=fields.flag("arrives", status == "Success"),
            findings=tuple(_finding(item) for item in fields.raw("errors") or []),
            account_id=fields.text("accountId") if fields.has("accountId") else None,
            times=fields.whole("times", 1, minimum=1),
        )
    )
    return views.outcomes(sim)


def clear_outcomes(sim: Codat, _body: Any) -> Any:
    sim.outcomes.clear()
    return views.outcomes(sim)


def change_connection(sim: Codat, connection_id: str, body: Any) -> Any:
    """Links, unlinks or deauthorises a connection without a visit of the linked pages."""
    connection = sim.connections.get(connection_id.lower())
    if connection is None:
        raise ControlError("id", "no such connection", status=404)
    fields = Fields(body, ("status", "tenantId"))
    status = fields.one_of("status", ("Linked", "Unlinked", "Deauthorized"))
    if status != "Linked":
        sever(sim, connection, status)  # type: ignore[arg-type]
        return views.connections(sim)
    tenant_id = fields.text("tenantId", next(iter(sim.organisations))).lower()
    if tenant_id not in sim.organisations:
        raise fields.error("tenantId", "no such organisation")
    link_connection(sim, connection, tenant_id)
    return views.connections(sim)


def end_feed(sim: Codat, connection_id: str, account_id: str, _body: Any) -> Any:
    """The customer ends the feed in Xero. Codat does not know it until somebody reads the mapping."""
    account = sim.accounts.get((connection_id.lower(), account_id))
    if account is None or account.mapping is None:
        raise ControlError("accountId", "no such feed", status=404)
    account.mapping.ended = True
    return {"accountId": account_id, "ended": True}


def change_consumer(sim: Codat, consumer_id: str, body: Any) -> Any:
    """What Codat's portal can change: the secret, and whether the consumer is disabled."""
    consumer = sim.consumers.get(consumer_id.lower())
    if consumer is None:
        raise ControlError("id", "no such consumer", status=404)
    fields = Fields(body, ("secret", "disabled"))
    consumer.secret = fields.text("secret", consumer.secret)
    consumer.disabled = fields.flag("disabled", consumer.disabled)
    return views.consumers(sim)


def replay_message(sim: Codat, message_id: str, _body: Any) -> Any:
    """Sends a webhook once more, with the same id, as the portal can."""
    found = [message for message in sim.messages if message.id == message_id]
    if not found:
        raise ControlError("id", "no such message", status=404)
    for message in found:
        message.next_at, message.copies_left = sim.now(), 1
    return views.messages(sim)


def _finding(item: Any) -> Finding:
    fields = Fields(item, ("itemId", "message", "validatorName"), "errors.")
    return Finding(fields.text("itemId"), fields.text("message"), fields.text("validatorName", "Xero"))
