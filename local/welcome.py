"""What `make up` prints in the end: where everything is, how to sign in, and what to do next."""

from __future__ import annotations

from typing import Any

from local.codat_simulator.state import DEFAULT_API_KEY
from local.instance import ROOT, Instance
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET


def text(instance: Instance, description: dict[str, Any]) -> str:
    """With the keys of the simulated app as long as they are still to be entered in the portal."""
    needs_setting_up = description.get("empty", False)
    command = "make open" if instance.name == "up" else f"make open INSTANCE={instance.name}"
    rows = [
        ("Portal", f"{description['portalUrl']}  ({command} opens it)"),
        ("Sign in with", description["apiKey"]),
    ]
    if _is_simulated(instance):
        rows.append(("Xero simulator", f"{description['simulatorUrl']}/  (it plays Xero Developer)"))
    if _is_simulated(instance) and needs_setting_up:
        rows += [
            ("Client id", DEFAULT_CLIENT_ID),
            ("Client secret", DEFAULT_CLIENT_SECRET),
            ("Redirect URI", f"{description['apiUrl']}/oauth/callback"),
        ]
    if "codatSimulatorUrl" in description:
        rows.append(("Codat simulator", description["codatSimulatorUrl"]))
        if needs_setting_up:
            rows.append(("Codat’s API key", DEFAULT_API_KEY))
    rows.append(("All addresses", str(instance.description.relative_to(ROOT))))
    lines = [f"  {name + ':':<17}{value}" for name, value in rows]
    return "\n".join(["Ready.", "", *lines, "", *_next(instance, needs_setting_up)])


def _next(instance: Instance, needs_setting_up: bool) -> list[str]:
    if not needs_setting_up:
        return ["Next: sign in to the portal, or push from the SDK, the queue or a file as README.md says."]
    lines = ["Next: sign in to the portal and follow its set-up guide."]
    if _is_simulated(instance):
        lines += [
            "Where it sends you to Xero Developer, use the page of the Xero simulator. Its app, Feedlane, is there:",
            "register the redirect URI in it, and enter its client id and client secret in the portal.",
        ]
    return lines


def _is_simulated(instance: Instance) -> bool:
    return instance.xero_identity_url == instance.simulator_url
