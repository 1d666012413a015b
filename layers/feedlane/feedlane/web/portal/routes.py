"""The routes of the `portal` function."""

from __future__ import annotations

from feedlane.web.portal import overview as portal_overview
from feedlane.web.portal import profile as portal_profile
from feedlane.web.portal import session as portal_session
from feedlane.web.portal import settings as portal_settings
from feedlane.web.portal import webhook as portal_webhook
from feedlane.web.portal import webhooks as portal_webhooks
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
    Route("GET", "/portal/webhooks", portal_webhooks.show),
    Route("POST", "/portal/webhooks", portal_webhooks.create),
    Route("GET", "/portal/webhooks/{consumer_id}", portal_webhook.show),
    Route("POST", "/portal/webhooks/{consumer_id}/test", portal_webhook.send_test),
    Route("POST", "/portal/webhooks/{consumer_id}/enable", portal_webhook.enable),
    Route("POST", "/portal/webhooks/{consumer_id}/disable", portal_webhook.disable),
    Route("POST", "/portal/webhooks/{consumer_id}/replays", portal_webhook.replay),
    Route("POST", "/portal/webhooks/{consumer_id}/deliveries/{event_id}/replay", portal_webhook.send_again),
)
