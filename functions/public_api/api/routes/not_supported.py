"""Refuses the operations of Codat's API that Xero bank feeds do not support, rather than pretending success.

Codat answers 404 to what a platform does not support. Operations that document no 404 answer 403 here: the SDKs
raise a typed error only for documented statuses.
"""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.requests import Routes
from feedlane.codat.errors import NotSupported

CONNECTION = "/companies/<company_id>/connections/<connection_id>"
SYNCS = f"{CONNECTION}/bankFeedAccounts/<account>/managedBankFeeds/syncs"
SUPPLEMENTAL = "/integrations/<platform_key>/dataTypes/<data_type>/supplementalDataConfig"

_ROUTES = (
    ("Reading a company's access token", "GET", "/companies/<company_id>/accessToken", 404),
    ("Connection management", "GET", "/companies/<company_id>/connectionManagement/accessToken", 404),
    ("Updating a connection's authorization", "PUT", f"{CONNECTION}/authorization", 404),
    ("Generating source account credentials", "POST", f"{CONNECTION}/connectionInfo/bankFeedAccounts/credentials", 404),
    ("Generating a one-time password", "POST", f"{CONNECTION}/bankFeeds/otp", 404),
    ("Managing bank feed syncs", "GET", f"{SYNCS}/<sync_id>", 404),
    ("Managing bank feed syncs", "POST", SYNCS, 404),
    ("Reading bank accounts", "GET", f"{CONNECTION}/data/bankAccounts", 404),
    ("Pushing bank accounts", "POST", f"{CONNECTION}/push/bankAccounts", 404),
    ("Rotating the Zapier key", "POST", "/webhooks/integrationKeys/zapier", 403),
    ("Synchronisation", "GET", "/profile/syncSettings", 403),
    ("Synchronisation", "POST", "/profile/syncSettings", 403),
    ("Synchronisation", "GET", "/companies/<company_id>/syncSettings", 404),
    ("Synchronisation", "POST", "/companies/<company_id>/syncSettings", 404),
    ("Managing products", "PUT", "/companies/<company_id>/products/<product>", 404),
    ("Managing products", "DELETE", "/companies/<company_id>/products/<product>", 404),
    ("Managing products", "POST", "/companies/<company_id>/products/<product>/refresh", 404),
    ("Reading data", "GET", "/companies/<company_id>/dataStatus", 404),
    ("Reading data", "POST", "/companies/<company_id>/data/all", 404),
    ("Reading data", "POST", "/companies/<company_id>/data/queue/<data_type>", 404),
    ("Reading data", "GET", "/companies/<company_id>/data/history", 404),
    ("Reading data", "GET", "/companies/<company_id>/data/history/<dataset_id>", 404),
    ("Reading data", "GET", "/companies/<company_id>/sync/<dataset_id>/validation", 404),
    ("Custom data", "PUT", "/integrations/<platform_key>/dataTypes/custom/<data_type>", 404),
    ("Custom data", "GET", "/integrations/<platform_key>/dataTypes/custom/<data_type>", 404),
    ("Custom data", "GET", f"{CONNECTION}/data/custom/<data_type>", 404),
    ("Custom data", "POST", f"{CONNECTION}/data/queue/custom/<data_type>", 404),
    ("Supplemental data", "PUT", SUPPLEMENTAL, 404),
    ("Supplemental data", "GET", SUPPLEMENTAL, 404),
)

router = Routes()


def _refuse(operation: str, method: str, path: str, status: int) -> None:
    @router.route(path, method=[method])
    def refuse(**_: str) -> Response[str]:
        raise NotSupported(operation, status)


for _route in _ROUTES:
    _refuse(*_route)
