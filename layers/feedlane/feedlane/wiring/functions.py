"""The parts as the functions use them; each is built once per function instance."""

from __future__ import annotations

import time
from functools import lru_cache, partial

from feedlane.aws import clients as aws
from feedlane.aws import metrics
from feedlane.aws.ports import ports
from feedlane.aws.vault import LambdaVault
from feedlane.companies.hosted_link import HostedLink
from feedlane.credentials.vault import Vault
from feedlane.environment import environment
from feedlane.feeds.call_limits import CallLimits
from feedlane.feeds.upstream import Upstream
from feedlane.feeds.upstreams import Upstreams
from feedlane.holds.watched_vault import WatchedVault
from feedlane.http import Http
from feedlane.link import ending
from feedlane.settings import items as settings_items
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.statements.sender import Sender
from feedlane.upkeep.connections import ConnectionCheck
from feedlane.upkeep.daily_round import CONNECTIONS_PER_MINUTE_MAX, DailyRound, Pacer
from feedlane.upkeep.hosted import access_at_codat
from feedlane.upkeep.watch import Watch
from feedlane.wiring.checks import Checks
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.connections import XeroConnections
from feedlane.xero.consent import XeroOrganisations
from feedlane.xero.tokens import TokenCache


@lru_cache(maxsize=1)
def vault() -> Vault:
    return WatchedVault(LambdaVault(aws.client("lambda", 35), environment().vault_arn), ports)


@lru_cache(maxsize=1)
def xero_http() -> Http:
    return Http(environment().xero_api_url)


@lru_cache(maxsize=1)
def xero_api() -> XeroApi:
    return XeroApi(xero_http(), tokens(), limits=call_limits())


@lru_cache(maxsize=1)
def xero_connections() -> XeroConnections:
    return XeroConnections(xero_http(), limits=call_limits())


@lru_cache(maxsize=1)
def call_limits() -> CallLimits:
    return SharedCallLimits(ports())


@lru_cache(maxsize=1)
def tokens() -> TokenCache:
    return TokenCache(vault())


@lru_cache(maxsize=1)
def upstream() -> Upstream:
    xero = XeroBankFeeds(xero_api(), feed_connections_version=feed_connections_version)
    return Upstreams(xero, codat_upstream)


def feed_connections_version() -> int:
    return settings_items.settings(ports().store).feed_connections


def codat_upstream() -> Upstream:
    """Imported with the first feed that goes through Codat: others pay nothing for it."""
    from feedlane.wiring import codat

    return codat.bank_feeds()


def hosted_link() -> HostedLink:
    """Imported with the first connection that goes through Codat."""
    from feedlane.wiring import codat

    return codat.hosted_link()


@lru_cache(maxsize=1)
def sender() -> Sender:
    return Sender(ports(), upstream(), metrics.record_statement_age)


@lru_cache(maxsize=1)
def checks() -> Checks:
    at_codat = partial(access_at_codat, hosted_link)
    disconnect = partial(ending.disconnect, vault=vault, xero=xero_connections, hosted=hosted_link)
    return Checks(ports(), upstream(), metrics.record_statement_age, at_codat, disconnect)


@lru_cache(maxsize=1)
def daily_round() -> DailyRound:
    pacer = Pacer(CONNECTIONS_PER_MINUTE_MAX, time.monotonic, time.sleep)
    listed = xero_connections()
    details = XeroOrganisations(listed, Accounting(xero_api()), tokens()).details
    at_codat = partial(access_at_codat, hosted_link)
    connection_check = ConnectionCheck(ports(), vault(), listed, details, tokens().remember, pacer.wait, at_codat)
    return DailyRound(ports(), connection_check)


@lru_cache(maxsize=1)
def watch() -> Watch:
    return Watch(ports(), vault(), xero_connections())
