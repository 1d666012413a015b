"""The Codat simulator beside the deployed stack, set up, for tests of companies whose upstream is Codat."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from feedlane.settings import items as settings_items
from local import codat
from local.bootstrap import set_up_codat
from local.instance import Instance
from local.processes import Processes
from tests.stack.probes.given import given

PUSH_SECONDS = 0.3
# Always the same: on an instance that is kept, the callback's memory has the last session's for a minute.
SECRET = "whsec_" + base64.b64encode(b"the secret of the test's endpoint").decode()


@contextmanager
def beside(instance: Instance) -> Iterator[None]:
    """The settings are not changed: only a company that says so has its connections go through Codat."""
    processes, store = Processes(instance.folder, instance.logs), given(instance).store
    before = settings_items.settings(store).codat
    was_running = processes.is_running(codat.NAME)
    codat.start(instance, processes)
    try:
        set_up_codat(instance, instance.read_description()["apiKey"])
        _adjust(instance)
        yield
    finally:
        if not was_running:
            # Other tests find no key: nobody asks a Codat that is not there.
            store.commit(settings_items.put_settings(settings_items.settings(store).but(codat=before)))
            processes.stop(codat.NAME)


def _adjust(instance: Instance) -> None:
    """Quick pushes, and the endpoint's secret at Codat and here."""
    with httpx.Client(base_url=f"{instance.codat_simulator_url}/_simulator", trust_env=False) as codat_control:
        codat_control.put("/timing", json={"pushSeconds": PUSH_SECONDS}).raise_for_status()
        for endpoint in codat_control.get("/consumers").json()["consumers"]:
            codat_control.put(f"/consumers/{endpoint['id']}", json={"secret": SECRET}).raise_for_status()
    stored = {"webhookSecret": SECRET}
    given(instance).api.put("/integrations/gbol/credentials/codatWebhookSecret", json=stored).raise_for_status()
