"""The routes of the `portal` function."""

from __future__ import annotations

from feedlane.web import portal_overview, portal_profile, portal_session, portal_settings
from feedlane.web.routing import Route

PORTAL = (
    Route("GET", "/portal/sign-in", portal_session.sign_in_page),
    Route("POST", "/portal/sign-in", portal_session.sign_in),
    Route("POST", "/portal/sign-out", portal_session.sign_out),
    Route("GET", "/portal", portal_overview.overview),
    Route("GET", "/portal/companies/{company_id}", portal_overview.company_page),
    Route("POST", "/portal/holds/{hold_id}/release", portal_overview.release),
    Route("GET", "/portal/settings", portal_settings.show),
    Route("POST", "/portal/settings", portal_settings.save),
    Route("POST", "/portal/settings/secret", portal_settings.drop_secret),
    Route("GET", "/portal/profile", portal_profile.show),
    Route("POST", "/portal/profile", portal_profile.save),
)
