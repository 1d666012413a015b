"""The platform's profile, and the web origins that may call the API."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane import settings_changes
from feedlane.codat.bodies import OriginsBody, ProfileBody, parsed
from feedlane.codat.integration import profile_json

router = Routes()


@router.get("/profile")
def get_profile() -> Response[str]:
    return ok(profile_json(parts.current.store.profile()))


@router.put("/profile")
def replace_profile() -> Response[str]:
    body, current = parsed(ProfileBody, router.body), parts.current
    profile = current.store.profile().but(
        name=body.name,
        redirect_url=body.redirect_url,
        logo_url=body.logo_url or "",
        icon_url=body.icon_url or "",
        white_list_urls=tuple(body.white_list_urls or ()),
    )
    return ok(profile_json(settings_changes.change_profile(current.store, current.clock(), current.new_id, profile)))


@router.get("/corsSettings")
@router.get("/connectionManagement/corsSettings")
def get_origins() -> Response[str]:
    return ok({"allowedOrigins": list(parts.current.store.profile().allowed_origins)})


@router.post("/corsSettings")
@router.post("/connectionManagement/corsSettings")
def replace_origins() -> Response[str]:
    body, current = parsed(OriginsBody, router.body), parts.current
    profile = settings_changes.change_origins(current.store, current.clock(), current.new_id, body.allowed_origins)
    return ok({"allowedOrigins": list(profile.allowed_origins)})
