"""The platform's profile, and the web origins that may call the API."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import OriginsBody, ProfileBody, parse_body
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.shapes import profile_json

router = Routes()


@router.get("/profile")
def get_profile() -> Response[str]:
    return ok(profile_json(settings_items.profile(current_parts().store)))


@router.put("/profile")
def replace_profile() -> Response[str]:
    body = parse_body(ProfileBody, router.body)
    parts = current_parts()
    before = settings_items.profile(parts.store)
    profile = before.but(
        name=body.name,
        redirect_url=body.redirect_url,
        logo_url=body.logo_url or "",
        icon_url=body.icon_url or "",
        # Codat's clients know neither: what was chosen elsewhere stays unless it is named.
        colour=before.colour if body.colour is None else body.colour,
        support_address=before.support_address if body.support_address is None else body.support_address,
        white_list_urls=tuple(body.white_list_urls or ()),
    )
    return ok(profile_json(settings_changes.change_profile(parts.ports, parts.clock(), profile)))


@router.get("/corsSettings")
@router.get("/connectionManagement/corsSettings")
def get_origins() -> Response[str]:
    return ok({"allowedOrigins": list(settings_items.profile(current_parts().store).allowed_origins)})


@router.post("/corsSettings")
@router.post("/connectionManagement/corsSettings")
def replace_origins() -> Response[str]:
    body = parse_body(OriginsBody, router.body)
    parts = current_parts()
    profile = settings_changes.change_origins(parts.ports, parts.clock(), body.allowed_origins)
    return ok({"allowedOrigins": list(profile.allowed_origins)})
