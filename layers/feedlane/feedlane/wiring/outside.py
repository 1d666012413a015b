"""How the deployment looks from outside: at Xero, on the internet, and to whoever gets the alarms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from feedlane.aws import alarms
from feedlane.companies.hosted_link import HostedClient
from feedlane.credentials.authorization import Authorization
from feedlane.environment import environment
from feedlane.errors import NotSent, Unanswered
from feedlane.http import Http
from feedlane.xero import authorization_check

# A page waits for the answers of several.
READ_SECONDS = 6.0
# With what else is asked, less than the page itself may take (28 seconds).
COLD_START_SECONDS = 14.0


class DeployedOutside:
    """Implements `upkeep.self_test.Outside`."""

    def ask_xero(self, client_id: str, redirect_uri: str, scopes: tuple[str, ...]) -> Authorization:
        return authorization_check.ask(_login(), environment().xero_login_url, client_id, redirect_uri, scopes)

    def codat_client(self) -> HostedClient:
        """Imported with the first deployment that goes through Codat."""
        from feedlane.wiring import codat

        return codat.own_client(READ_SECONDS)

    def page_faults(self, *urls: str) -> list[str]:
        """All at once: each may start cold."""
        base = environment().public_url
        with ThreadPoolExecutor(len(urls)) as pool:
            return list(pool.map(lambda url: page_fault(Http(base, read_seconds=COLD_START_SECONDS), url), urls))

    def alarm_recipients(self) -> tuple[int, int]:
        return alarms.recipients()


def page_fault(http: Http, url: str) -> str:
    """Why the address is none of Link's pages; empty if it is one, whatever it says."""
    try:
        answer = http.send("GET", url, headers={"Accept": "text/html"})
    except (NotSent, Unanswered) as error:
        return f"it could not be reached ({error})"
    finally:
        http.close()
    if answer.status_code >= 500:
        return f"it answered {answer.status_code}"
    # The header that all pages have and neither the gateway nor the API sends.
    return "" if answer.headers.get("x-frame-options") == "DENY" else "another program answered there"


@lru_cache(maxsize=1)
def _login() -> Http:
    return Http(environment().xero_login_url, read_seconds=READ_SECONDS)
