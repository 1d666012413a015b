"""What belongs to the platform as Codat's client: its profile, API keys and integrations."""

from typing import Any

from local.codat_simulator.bodies import Body, read_json
from local.codat_simulator.errors import CodatError
from local.codat_simulator.paging import page_of
from local.codat_simulator.records import ApiKey, Profile
from local.codat_simulator.shapes import XERO, XERO_KEY
from local.codat_simulator.state import Codat, new_secret, timestamp
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import new_id

Json = dict[str, Any]

KEYS_MAX, KEY_NAME_MAX = 10, 50
LOGO = "https://static.codat.io/public/platforms/gbol.png"


def show_profile(sim: Codat, _call: ApiCall) -> Answer:
    return Answer(200, profile_json(sim.profile))


def update_profile(sim: Codat, call: ApiCall) -> Answer:
    body = Body(read_json(call), "Profile")
    profile = Profile(
        name=body.text("name", required=True) or "",
        redirect_url=body.text("redirectUrl", required=True) or "",
        logo_url=body.text("logoUrl") or sim.profile.logo_url,
        icon_url=body.text("iconUrl") or sim.profile.icon_url,
        white_list_urls=body.texts("whiteListUrls"),
    )
    body.done()
    sim.profile = profile
    return Answer(200, profile_json(profile))


def list_api_keys(sim: Codat, _call: ApiCall) -> Answer:
    """Codat lists keys in clear."""
    return Answer(200, {"results": [_key_json(key) for key in sim.api_keys]})


def create_api_key(sim: Codat, call: ApiCall) -> Answer:
    body = Body(read_json(call), "CreateAPIKey")
    name = body.text("name", required=True, longest=KEY_NAME_MAX) or ""
    body.done()
    if len(sim.api_keys) >= KEYS_MAX:
        raise CodatError(409, f"There can be at most {KEYS_MAX} API keys.")
    key = ApiKey(new_id(), name, new_secret(), sim.now())
    sim.api_keys.append(key)
    return Answer(201, _key_json(key))


def delete_api_key(sim: Codat, call: ApiCall) -> Answer:
    found = next((key for key in sim.api_keys if key.id == call.path_params["key"].lower()), None)
    if found is None:
        raise CodatError(404, "The API key was not found.")
    sim.api_keys.remove(found)
    return Answer(204)


def list_integrations(sim: Codat, call: ApiCall) -> Answer:
    return page_of(call, [integration_json(sim)], name="Integration")


def show_integration(sim: Codat, call: ApiCall) -> Answer:
    if call.path_params["platform"] != XERO_KEY:
        raise CodatError(404, f"No integration was found with key {call.path_params['platform']}")
    return Answer(200, integration_json(sim))


def profile_json(profile: Profile) -> Json:
    return {
        "name": profile.name,
        "redirectUrl": profile.redirect_url,
        "logoUrl": profile.logo_url,
        "iconUrl": profile.icon_url,
        "whiteListUrls": profile.white_list_urls,
    }


def integration_json(sim: Codat) -> Json:
    return {
        "key": XERO_KEY,
        "logoUrl": LOGO,
        "name": XERO["platformName"],
        "enabled": sim.xero_enabled,
        "sourceId": XERO["sourceId"],
        "sourceType": XERO["sourceType"],
        "integrationId": XERO["integrationId"],
        "isOfflineConnector": False,
        "isBeta": False,
        "dataProvidedBy": "",
        "datatypeFeatures": [],
    }


def _key_json(key: ApiKey) -> Json:
    return {"id": key.id, "name": key.name, "apiKey": key.key, "createdDate": timestamp(key.created)}
