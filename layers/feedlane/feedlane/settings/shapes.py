"""The Xero integration, its settings, the profile and API keys as the API shows them."""

from __future__ import annotations

from typing import Any

from feedlane.clock import iso
from feedlane.codat.query import Fields
from feedlane.companies.connection import INTEGRATION_ID, PLATFORM_KEY, PLATFORM_NAME, SOURCE_ID
from feedlane.settings.api_key import ApiKey
from feedlane.settings.settings import Profile, Settings

LOGO_URL = "https://static.codat.io/public/platforms/gbol.png"
INTEGRATION_FIELDS: Fields = dict.fromkeys(
    [
        "key",
        "logoUrl",
        "name",
        "enabled",
        "sourceId",
        "sourceType",
        "integrationId",
        "isOfflineConnector",
        "isBeta",
        "dataProvidedBy",
    ]
)


def integration_json(settings: Settings) -> dict[str, Any]:
    features = [{"featureType": "Post", "featureState": "Release"}]
    return {
        "key": PLATFORM_KEY,
        "logoUrl": LOGO_URL,
        "name": PLATFORM_NAME,
        "enabled": settings.enabled,
        "sourceId": SOURCE_ID,
        "sourceType": "Accounting",
        "integrationId": INTEGRATION_ID,
        "isOfflineConnector": False,
        "isBeta": False,
        "dataProvidedBy": "",
        "datatypeFeatures": [{"dataType": "bankTransactions", "supportedFeatures": features}],
    }


def branding_json() -> dict[str, Any]:
    logo = {"image": {"src": LOGO_URL, "alt": f"{PLATFORM_NAME} logo"}}
    return {"logo": {"full": logo, "square": logo}, "button": None, "sourceId": SOURCE_ID}


def settings_json(settings: Settings, redirect_uri: str) -> dict[str, Any]:
    """Keys are masked except for their last four characters, as in Codat's portal."""
    return {
        "upstream": settings.upstream,
        "enabled": settings.enabled,
        "bankFeeds": settings.bank_feeds,
        "access": settings.access,
        "appName": settings.app_name,
        "companyUrl": settings.company_url,
        "partner": settings.partner,
        "privacyPolicyUrl": settings.privacy_policy_url,
        "termsUrl": settings.terms_url,
        "connectionLimit": settings.connection_limit,
        "dailyLimit": settings.daily_limit,
        "gapIsError": settings.gap_is_error,
        "changedTransactions": settings.changed_transactions,
        "refusalHoldsFeed": settings.refusal_holds_feed,
        "syntheticBalances": settings.synthetic_balances,
        "feedConnections": settings.feed_connections,
        "pkce": settings.pkce,
        "linkPasswords": settings.link_passwords,
        "clientId": masked(settings.client_id[-4:]),
        "clientSecret": masked(settings.client_secret_ending),
        "secondClientSecret": masked(settings.second_secret_ending),
        "keysChecked": settings.keys_checked,
        "codatKey": masked(settings.codat.ending),
        "secondCodatKey": masked(settings.codat.second_ending),
        "codatKeyChecked": settings.codat.checked,
        "codatWebhookSecret": masked(settings.codat.webhook_ending),
        "redirectUri": settings.redirect_uri or redirect_uri,
        "scopes": list(settings.scopes),
    }


def masked(ending: str) -> str | None:
    return "x" * 12 + ending if ending else None


def profile_json(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "redirectUrl": profile.redirect_url,
        "logoUrl": profile.logo_url or None,
        "iconUrl": profile.icon_url or None,
        "colour": profile.colour or None,
        "supportAddress": profile.support_address or None,
        "whiteListUrls": list(profile.white_list_urls),
    }


def api_key_json(record: ApiKey, key: str | None = None) -> dict[str, Any]:
    """`key` is the key itself: only the answer that creates it shows it."""
    return {
        "id": record.id,
        "name": record.name,
        "apiKey": key or masked(record.ending),
        "createdDate": iso(record.created),
    }
