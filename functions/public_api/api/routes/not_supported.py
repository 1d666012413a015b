"""What Codat's API has and Xero bank feeds have not: a clear refusal, never a success that did nothing.

404 is what Codat says of something a platform does not support. Where an operation documents no 404, it is
403: the SDKs make a typed error only of the statuses that an operation documents.
"""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.requests import Routes
from feedlane.codat.errors import NotSupported

K = "/companies/<company_id>/connections/<connection_id>"
SYNCS = f"{K}/bankFeedAccounts/<account>/managedBankFeeds/syncs"
SUPPLEMENTAL = "/integrations/<platform_key>/dataTypes/<data_type>/supplementalDataConfig"

_ROUTES = (
    ("An access token of a company", "GET", "/companies/<company_id>/accessToken", 404),
    ("Connection management", "GET", "/companies/<company_id>/connectionManagement/accessToken", 404),
    ("Handing tokens in", "PUT", f"{K}/authorization", 404),
    ("Credentials of a source account", "POST", f"{K}/connectionInfo/bankFeedAccounts/credentials", 404),
    ("A one-time password", "POST", f"{K}/bankFeeds/otp", 404),
    ("Managed bank feeds", "GET", f"{SYNCS}/<sync_id>", 404),
    ("Managed bank feeds", "POST", SYNCS, 404),
    ("Reading bank accounts", "GET", f"{K}/data/bankAccounts", 404),
    ("Pushing bank accounts", "POST", f"{K}/push/bankAccounts", 404),
    ("A Zapier key", "POST", "/webhooks/integrationKeys/zapier", 403),
    ("Synchronisation", "GET", "/profile/syncSettings", 403),
    ("Synchronisation", "POST", "/profile/syncSettings", 403),
    ("Synchronisation", "GET", "/companies/<company_id>/syncSettings", 404),
    ("Synchronisation", "POST", "/companies/<company_id>/syncSettings", 404),
    ("Products", "PUT", "/companies/<company_id>/products/<product>", 404),
    ("Products", "DELETE", "/companies/<company_id>/products/<product>", 404),
    ("Products", "POST", "/companies/<company_id>/products/<product>/refresh", 404),
    ("Reading data", "GET", "/companies/<company_id>/dataStatus", 404),
    ("Reading data", "POST", "/companies/<company_id>/data/all", 404),
    ("Reading data", "POST", "/companies/<company_id>/data/queue/<data_type>", 404),
    ("Reading data", "GET", "/companies/<company_id>/data/history", 404),
    ("Reading data", "GET", "/companies/<company_id>/data/history/<dataset_id>", 404),
    ("Reading data", "GET", "/companies/<company_id>/sync/<dataset_id>/validation", 404),
    ("Custom data", "PUT", "/integrations/<platform_key>/dataTypes/custom/<data_type>", 404),
    ("Custom data", "GET", "/integrations/<platform_key>/dataTypes/custom/<data_type>", 404),
    ("Custom data", "GET", f"{K}/data/custom/<data_type>", 404),
    ("Custom data", "POST", f"{K}/data/queue/custom/<data_type>", 404),
    ("Supplemental data", "PUT", SUPPLEMENTAL, 404),
    ("Supplemental data", "GET", SUPPLEMENTAL, 404),
)

router = Routes()


def _refuse(what: str, method: str, path: str, status: int) -> None:
    @router.route(path, method=[method])
    def refuse(**_: str) -> Response[str]:
        raise NotSupported(what, status)


for _route in _ROUTES:
    _refuse(*_route)
