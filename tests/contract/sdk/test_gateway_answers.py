"""What API Gateway answers by itself, without the envelope, is to the SDKs an error like any other.

An HTTP API's own answers cannot be changed: only REST APIs have gateway responses.
"""

from __future__ import annotations

from typing import Any

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors as bank_feeds_errors
from codat_bankfeeds.models import shared as bank_feeds_shared
from codat_bankfeeds.utils import retries as bank_feeds_retries
from codat_platform import CodatPlatform
from codat_platform.models import errors as platform_errors
from codat_platform.models import shared as platform_shared
from codat_platform.utils import retries as platform_retries

from tests.contract.sdk.api_server import AUTHORIZATION, ApiServer

SDKS = [
    (CodatBankFeeds, bank_feeds_shared, bank_feeds_retries, bank_feeds_errors),
    (CodatPlatform, platform_shared, platform_retries, platform_errors),
]
# The stage's limit, a function that is throttled or takes too long, one that fails.
PASSING = [
    (429, b'{"message":"Too Many Requests"}'),
    (503, b'{"message":"Service Unavailable"}'),
    (500, b'{"message":"Internal Server Error"}'),
]


def _sdk(parts: Any, server: ApiServer, elapsed_ms: int) -> Any:
    sdk, shared, retries, _ = parts
    retry = retries.RetryConfig("backoff", retries.BackoffStrategy(10, 50, 1.5, elapsed_ms), True)
    return sdk(security=shared.Security(auth_header=AUTHORIZATION), server_url=server.url, retry_config=retry)


@pytest.mark.parametrize("parts", SDKS, ids=["bank feeds", "platform"])
@pytest.mark.parametrize(("status", "body"), PASSING)
def test_what_passes_is_tried_again_and_then_succeeds(server: ApiServer, parts: Any, status: int, body: bytes) -> None:
    server.answers = [(status, body)] * 3
    assert _sdk(parts, server, 5_000).companies.list().total_results == 0
    assert len(server.calls) == 4


@pytest.mark.parametrize("parts", SDKS, ids=["bank feeds", "platform"])
@pytest.mark.parametrize(("status", "body"), PASSING)
def test_what_does_not_pass_is_a_typed_error_with_the_gateways_words(
    server: ApiServer, parts: Any, status: int, body: bytes
) -> None:
    server.answers = [(status, body)] * 100
    with pytest.raises(parts[3].ErrorMessage) as failed:
        _sdk(parts, server, 150).companies.list()
    assert (failed.value.status_code, failed.value.body) == (status, body.decode())
    # The envelope's fields are empty, not wrong.
    assert (failed.value.data.error, failed.value.data.correlation_id) == (None, None)
    assert len(server.calls) > 2


@pytest.mark.parametrize("parts", SDKS, ids=["bank feeds", "platform"])
@pytest.mark.parametrize(
    ("status", "body"),
    [(413, b'{"message":"Request Entity Too Large"}'), (431, b""), (404, b'{"message":"Not Found"}')],
)
def test_what_no_retry_resolves_is_an_error_at_once(server: ApiServer, parts: Any, status: int, body: bytes) -> None:
    server.answers = [(status, body)] * 100
    with pytest.raises((parts[3].ErrorMessage, parts[3].SDKError)) as failed:
        _sdk(parts, server, 5_000).companies.list()
    assert failed.value.status_code == status
    assert len(server.calls) == 1


def test_a_change_that_meets_the_gateways_answers_is_made_once(server: ApiServer) -> None:
    sdk = _sdk(SDKS[0], server, 5_000)
    server.answers = PASSING.copy()
    company = sdk.companies.create(request={"name": "Harbour Bakery Ltd"})
    assert [found.id for found in sdk.companies.list().results] == [company.id]
