"""What the forms of the simulator's own pages do: each reads its fields and calls the control of the same name."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from local.simulator import control_faults as faults
from local.simulator import control_settings as settings
from local.simulator import control_views as views
from local.simulator.consent import may_be_registered
from local.simulator.control_fields import ControlError
from local.simulator.developer_faults import body_of
from local.simulator.state import Simulator

ACCOUNT_ROWS = 3
REDIRECT_URIS_MAX = 50
BANK_FEEDS_SCOPE = "bankfeeds"


@dataclass(frozen=True)
class Filled:
    """A form as it was sent: several values of a name are those of its check boxes."""

    values: dict[str, list[str]]
    # The id in its address, if it is about one thing.
    id: str = ""

    def text(self, name: str) -> str:
        return self.values.get(name, [""])[0].strip()

    def texts(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def flag(self, name: str) -> bool:
        return name in self.values

    def number(self, name: str) -> int | float | None:
        """None if it is empty. Raises ControlError if it is no number."""
        if not self.text(name):
            return None
        try:
            value = float(self.text(name))
        except ValueError:
            raise ControlError(name, "must be a number") from None
        if not math.isfinite(value):
            raise ControlError(name, "must be a number")
        return int(value) if value.is_integer() else value


@dataclass(frozen=True)
class Notice:
    """What the next page says, once. A `secret` is shown with it and never again."""

    text: str
    secret: str = ""


Act = Callable[[Simulator, Filled], Notice]


def set_details(sim: Simulator, form: Filled) -> Notice:
    if "xero" in form.text("name").lower():
        raise ControlError("name", "may not contain the word Xero")
    if not form.text("companyUrl").startswith("https://"):
        raise ControlError("companyUrl", "must begin with https://")
    settings.set_app(sim, {"name": form.text("name"), "companyUrl": form.text("companyUrl")})
    return Notice("The app's details are saved.")


def generate_secret(sim: Simulator, _form: Filled) -> Notice:
    secret = secrets.token_urlsafe(36)
    settings.set_app(sim, {"clientSecrets": [*sim.app.client_secrets, secret]})
    return Notice("This is the new client secret. Copy it now: it is not shown again.", secret)


def remove_secret(sim: Simulator, form: Filled) -> Notice:
    kept = [secret for secret in sim.app.client_secrets if not secret.endswith(form.text("ending") or " ")]
    settings.set_app(sim, {"clientSecrets": kept})
    return Notice("The client secret is removed. Whoever still uses it is refused.")


def add_redirect(sim: Simulator, form: Filled) -> Notice:
    uri, known = form.text("redirectUri"), sim.app.redirect_uris
    if not may_be_registered(uri):
        raise ControlError("redirectUri", "must be an https address, or http on localhost (127.0.0.1 is not taken)")
    if uri in known:
        raise ControlError("redirectUri", "is registered already")
    if len(known) >= REDIRECT_URIS_MAX:
        raise ControlError("redirectUri", f"cannot be added: an app has {REDIRECT_URIS_MAX} at most")
    settings.set_app(sim, {"redirectUris": [*known, uri]})
    return Notice("The redirect URI is registered. From now on it must match to the letter.")


def remove_redirect(sim: Simulator, form: Filled) -> Notice:
    settings.set_app(sim, {"redirectUris": [uri for uri in sim.app.redirect_uris if uri != form.text("redirectUri")]})
    return Notice("The redirect URI is removed.")


def set_access(sim: Simulator, form: Filled) -> Notice:
    """What Xero grants. Without its approval of bank feeds, their scope is refused, and so are their calls."""
    approved = form.flag("bankFeedsEnabled")
    scopes = {*form.texts("scope")} - {BANK_FEEDS_SCOPE} | ({BANK_FEEDS_SCOPE} if approved else set())
    body = {
        "allowedScopes": sorted(scopes),
        "bankFeedsEnabled": approved,
        "certified": form.flag("certified"),
        "suspended": form.flag("suspended"),
        "connectionLimit": form.number("connectionLimit"),
    }
    settings.set_app(sim, body)
    return Notice("What Xero grants the app is saved. It holds for the next consents and calls.")


def add_organisation(sim: Simulator, form: Filled) -> Notice:
    rows = {index: f"accounts[{index}]." for index in range(ACCOUNT_ROWS)}
    filled = [row for row in rows.values() if form.text(f"{row}name") or form.text(f"{row}number")]
    names = ("name", "number", "type", "currency")
    accounts = [
        {name: form.text(f"{row}{name}") for name in names if name != "currency" or form.text(f"{row}currency")}
        for row in filled
    ]
    body = {
        "name": form.text("name"),
        "country": form.text("country"),
        "currency": form.text("currency").upper(),
        "plan": form.text("plan"),
        "demo": form.flag("demo"),
        "bankFeeds": form.flag("bankFeeds"),
        "accounts": accounts,
    }
    try:
        settings.add_organisation(sim, body)
    except ControlError as error:
        raise _in_its_row(error, filled) from None
    return Notice(f"{form.text('name')} is there. Your customer can choose it on the next consent page.")


def change_organisation(sim: Simulator, form: Filled) -> Notice:
    body = {
        "name": form.text("name"),
        "plan": form.text("plan"),
        "bankFeeds": form.flag("bankFeeds"),
        "feedConnectionsAllowed": form.flag("feedConnectionsAllowed"),
    }
    settings.change_organisation(sim, form.id, body)
    return Notice(f"{form.text('name')} is saved.")


def archive_account(sim: Simulator, form: Filled) -> Notice:
    archived = form.text("archived") == "true"
    settings.change_account(sim, form.id, form.text("accountId"), {"archived": archived})
    return Notice(f"The account is {'archived' if archived else 'active again'}.")


def disconnect(sim: Simulator, form: Filled) -> Notice:
    settings.remove_connection(sim, form.id, {})
    return Notice("The app is disconnected from the organisation, as its user does it in Xero.")


def end_feed(sim: Simulator, form: Filled) -> Notice:
    settings.remove_feed_connection(sim, form.id, {})
    return Notice("The feed is ended, as the organisation's user does it in Xero.")


def add_fault(sim: Simulator, form: Filled) -> Notice:
    faults.add_fault(sim, body_of(form.text("fault"), form.text("tenantId"), form.number("times")))
    return Notice("The fault is on.")


def clear_fault(sim: Simulator, form: Filled) -> Notice:
    faults.clear_fault(sim, form.id, {})
    return Notice("The fault is off.")


def clear_faults(sim: Simulator, _form: Filled) -> Notice:
    faults.clear_faults(sim, {})
    return Notice("All faults are off.")


def reject_later(sim: Simulator, form: Filled) -> Notice:
    tenant = {"tenantId": form.text("tenantId")} if form.text("tenantId") else {}
    faults.reject_later(sim, {"errors": [form.text("problem")], "times": form.number("times"), **tenant})
    return Notice("The next statements are accepted, and rejected a moment later.")


def set_behaviour(sim: Simulator, form: Filled) -> Notice:
    switches = views.behaviour_switches(sim)["switches"]
    settings.set_behaviour(
        sim, {one["name"]: json.loads(form.text(one["name"])) for one in switches if form.text(one["name"])}
    )
    return Notice("The switches are set.")


def set_timing(sim: Simulator, form: Filled) -> Notice:
    settings.set_timing(sim, {name: form.number(name) for name in views.timing(sim)})
    return Notice("The times are set.")


def set_consent(sim: Simulator, form: Filled) -> Notice:
    settings.set_consent(sim, {"mode": form.text("mode"), "tenantIds": form.texts("tenantId")})
    return Notice("The next consents are decided so.")


def advance_clock(sim: Simulator, form: Filled) -> Notice:
    settings.advance_clock(sim, {"advanceSeconds": form.number("advanceSeconds")})
    return Notice("The simulator's clock is ahead.")


def reset(sim: Simulator, form: Filled) -> Notice:
    if not form.flag("sure"):
        raise ControlError("sure", "must be ticked: everything that Xero has received is lost")
    sim.reset()
    return Notice("Everything is as it was at the start. Feedlane's connections to Xero have ended with it.")


def _in_its_row(error: ControlError, rows: list[str]) -> ControlError:
    """Names the field in the row in which it was filled in: the control counts only those that were."""
    for index, row in reversed(list(enumerate(rows))):
        if error.field.startswith(f"accounts[{index}]."):
            return ControlError(row + error.field.partition(".")[2], error.reason)
    return error
