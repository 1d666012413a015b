"""The routes of the `portal` function."""

from __future__ import annotations

from feedlane.web.portal import activity as portal_activity
from feedlane.web.portal import overview as portal_overview
from feedlane.web.portal import pages as portal_pages
from feedlane.web.portal import search as portal_search
from feedlane.web.portal import sign_in as portal_sign_in
from feedlane.web.portal.companies import account_form, company_actions, company_form, endings
from feedlane.web.portal.companies import companies as portal_companies
from feedlane.web.portal.companies import company as portal_company
from feedlane.web.portal.feeds import feed as portal_feed
from feedlane.web.portal.feeds import feeds as portal_feeds
from feedlane.web.portal.feeds import push_operation, push_operations
from feedlane.web.portal.holds import dead_letters as portal_dead_letters
from feedlane.web.portal.holds import holds as portal_holds
from feedlane.web.portal.set_up import certification as portal_certification
from feedlane.web.portal.set_up import self_test as portal_self_test
from feedlane.web.portal.set_up import set_up as portal_set_up
from feedlane.web.portal.set_up import trial as portal_trial
from feedlane.web.portal.settings import profile as portal_profile
from feedlane.web.portal.settings import settings as portal_settings
from feedlane.web.portal.webhooks import delivery as portal_delivery
from feedlane.web.portal.webhooks import event_catalogue as portal_event_catalogue
from feedlane.web.portal.webhooks import webhook as portal_webhook
from feedlane.web.portal.webhooks import webhook_settings as portal_webhook_settings
from feedlane.web.portal.webhooks import webhooks as portal_webhooks
from feedlane.web.routing import Route

_CONNECTION = "/portal/companies/{company_id}/connections/{connection_id}"

PORTAL = (
    Route("GET", "/", portal_pages.home),
    Route("GET", "/favicon.ico", portal_pages.icon),
    Route("GET", "/portal/sign-in", portal_sign_in.show),
    Route("POST", "/portal/sign-in", portal_sign_in.sign_in),
    Route("POST", "/portal/sign-out", portal_sign_in.sign_out),
    Route("GET", "/portal", portal_overview.show),
    Route("GET", "/portal/search", portal_search.show),
    Route("GET", "/portal/companies", portal_companies.show),
    Route("GET", "/portal/companies/new", company_form.new),
    Route("POST", "/portal/companies/new", company_form.create),
    Route("GET", "/portal/companies/{company_id}", portal_company.show),
    Route("GET", "/portal/companies/{company_id}/edit", company_form.edit),
    Route("POST", "/portal/companies/{company_id}/edit", company_form.save),
    Route("GET", "/portal/companies/{company_id}/delete", company_form.ask_to_delete),
    Route("POST", "/portal/companies/{company_id}/delete", company_form.delete),
    Route("GET", "/portal/companies/{company_id}/push-operations", push_operations.show),
    Route("POST", "/portal/companies/{company_id}/holds/{hold_id}/release", company_actions.release),
    Route("POST", "/portal/companies/{company_id}/connections", company_actions.add_connection),
    Route("POST", f"{_CONNECTION}/link", company_actions.make_link),
    Route("GET", f"{_CONNECTION}/disconnect", endings.ask_to_disconnect),
    Route("POST", f"{_CONNECTION}/disconnect", endings.disconnect),
    Route("GET", f"{_CONNECTION}/delete", endings.ask_to_delete),
    Route("POST", f"{_CONNECTION}/delete", endings.delete),
    Route("GET", f"{_CONNECTION}/accounts/new", account_form.show),
    Route("POST", f"{_CONNECTION}/accounts/new", account_form.add),
    Route("GET", f"{_CONNECTION}/accounts/disconnect", endings.ask_about_account),
    Route("POST", f"{_CONNECTION}/accounts/disconnect", endings.disconnect_account),
    Route("GET", "/portal/feeds", portal_feeds.show),
    Route("GET", "/portal/feeds/{connection_id}/{account_id*}", portal_feed.show),
    Route("POST", "/portal/feeds/{connection_id}/{account_id*}", portal_feed.release),
    Route("GET", "/portal/push-operations/{company_id}/{key}", push_operation.show),
    Route("GET", "/portal/holds", portal_holds.show),
    Route("GET", "/portal/holds/release", portal_holds.confirm),
    Route("POST", "/portal/holds/release", portal_holds.confirm),
    Route("POST", "/portal/holds/{hold_id}/release", portal_holds.confirm_one),
    Route("GET", "/portal/files", portal_pages.files),
    Route("GET", "/portal/activity", portal_activity.show),
    Route("GET", "/portal/dead-letters", portal_dead_letters.show),
    Route("POST", "/portal/dead-letters", portal_dead_letters.put_back),
    Route("GET", "/portal/set-up", portal_set_up.show),
    Route("GET", "/portal/set-up/test", portal_self_test.show),
    Route("POST", "/portal/set-up/test", portal_self_test.run),
    Route("GET", "/portal/set-up/try", portal_trial.show),
    Route("POST", "/portal/set-up/try", portal_trial.begin),
    Route("POST", "/portal/set-up/try/link", portal_trial.new_link),
    Route("POST", "/portal/set-up/try/send", portal_trial.send),
    Route("POST", "/portal/set-up/try/remove", portal_trial.remove),
    Route("GET", "/portal/set-up/{step}", portal_set_up.show_step),
    Route("GET", "/portal/certification", portal_certification.show),
    Route("GET", "/portal/certification.json", portal_certification.as_json),
    Route("GET", "/portal/certification.txt", portal_certification.as_text),
    Route("POST", "/portal/set-up/{step}", portal_set_up.save_step),
    Route("GET", "/portal/keys", portal_pages.api_keys),
    Route("GET", "/portal/settings", portal_settings.show),
    Route("GET", "/portal/settings/{section}", portal_settings.show_section),
    Route("POST", "/portal/settings/{section}", portal_settings.save),
    Route("POST", "/portal/settings/{section}/secret", portal_settings.drop_secret),
    Route("GET", "/portal/profile", portal_profile.show),
    Route("POST", "/portal/profile", portal_profile.save),
    Route("GET", "/portal/webhooks", portal_webhooks.show),
    Route("POST", "/portal/webhooks", portal_webhooks.create),
    Route("GET", "/portal/webhooks/events", portal_event_catalogue.show),
    Route("GET", "/portal/webhooks/events/{event_type}", portal_event_catalogue.show_type),
    Route("GET", "/portal/webhooks/{consumer_id}", portal_webhook.show),
    Route("POST", "/portal/webhooks/{consumer_id}/test", portal_webhook.send_test),
    Route("POST", "/portal/webhooks/{consumer_id}/enable", portal_webhook.enable),
    Route("POST", "/portal/webhooks/{consumer_id}/disable", portal_webhook.disable),
    Route("GET", "/portal/webhooks/{consumer_id}/settings", portal_webhook_settings.show),
    Route("POST", "/portal/webhooks/{consumer_id}/settings", portal_webhook_settings.save),
    Route("POST", "/portal/webhooks/{consumer_id}/secret", portal_webhook_settings.rotate),
    Route("POST", "/portal/webhooks/{consumer_id}/delete", portal_webhook_settings.delete),
    Route("GET", "/portal/webhooks/{consumer_id}/replays", portal_webhook.show_replays),
    Route("POST", "/portal/webhooks/{consumer_id}/replays", portal_webhook.replay),
    Route("GET", "/portal/webhooks/{consumer_id}/deliveries/{event_id}", portal_delivery.show),
    Route("POST", "/portal/webhooks/{consumer_id}/deliveries/{event_id}/replay", portal_delivery.send_again),
)
