"""The platform's profile, and which web pages may call the API."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane.codat.bodies import OriginsBody, ProfileBody, parse_body
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.shapes import profile_json

router = Routes()


@router.get("/profile")
def get_profile() -> Response[str]:
    return ok(profile_json(settings_items.profile(parts.current.store)))


@router.put("/profile")
def replace_profile() -> Response[str]:
    given, own = parse_body(ProfileBody, router.body), parts.current
    profile = settings_items.profile(own.store).but(
        name=given.name,
        redirect_url=given.redirect_url,
        logo_url=given.logo_url or "",
        icon_url=given.icon_url or "",
        white_list_urls=tuple(given.white_list_urls or ()),
    )
    return ok(profile_json(settings_changes.change_profile(own.ports, own.clock(), profile)))


@router.get("/corsSettings")
@router.get("/connectionManagement/corsSettings")
def get_origins() -> Response[str]:
    return ok({"allowedOrigins": list(settings_items.profile(parts.current.store).allowed_origins)})


@router.post("/corsSettings")
@router.post("/connectionManagement/corsSettings")
def replace_origins() -> Response[str]:
    given, own = parse_body(OriginsBody, router.body), parts.current
    profile = settings_changes.change_origins(own.ports, own.clock(), given.allowed_origins)
    return ok({"allowedOrigins": list(profile.allowed_origins)})
