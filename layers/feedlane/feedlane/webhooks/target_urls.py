"""Where webhooks may go: only to public addresses over https, unless this is a local system.

A host name is judged by the addresses it resolves to when the connection is made. So neither its spelling nor a change
of its DNS records since the consumer was created gets around the check.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult

from feedlane.errors import Invalid
from feedlane.web_address import BadAddress, parse_address

HTTPS_PORT = 443
UNPRIVILEGED_PORT_MIN = 1024
ANY_TARGET = "any"
"""The value of `WEBHOOK_TARGETS` for local development; every other value means public addresses only."""

Resolve = Callable[[str, int], list[str]]

_NON_PUBLIC_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network, unspecified
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared: carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, the cloud's metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # IETF protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarking
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "::/96",  # unspecified, loopback, IPv4-compatible
            "64:ff9b::/96",  # NAT64
            "64:ff9b:1::/48",  # NAT64, local use
            "100::/64",  # discard-only
            "2001::/32",  # Teredo
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
            "5f00::/16",  # SRv6 segment ids
            "fc00::/7",  # unique local, also AWS's metadata
            "fe80::/10",  # link-local
            "fec0::/10",  # site-local
            "ff00::/8",  # multicast
        ),
    )
)
# All IPv6 unicast addresses allocated so far. Translated ones (::ffff:0:0:0/96) and future allocations are outside.
_UNICAST = IPv6Network("2000::/3")


def check_url(url: str, targets: str, resolve: Resolve | None = None) -> str:
    """The URL, if webhooks may go there. Raises `Invalid` with the rule.

    https on port 443 or on 1024 and above, at most 2,048 characters, no user name. A host that does not resolve yet is
    accepted, one with private addresses only is not. The decisive check is made at each connection.
    """
    parts = check_url_form(url, targets)
    if _allows_any_target(targets):
        return url
    try:
        addresses = (resolve or resolve_host)(parts.hostname or "", parts.port or HTTPS_PORT)
    except OSError:
        return url
    if not any(map(is_public, addresses)):
        raise Invalid.field("url", "must resolve to a public address", "PublicAddress")
    return url


def check_url_form(url: str, targets: str) -> SplitResult:
    """Checks what does not need a resolver. The URL's parts. Raises `Invalid` with the rule."""
    schemes = frozenset({"http", "https"} if _allows_any_target(targets) else {"https"})
    try:
        parts = parse_address(url, schemes)
    except BadAddress as bad:
        raise Invalid.field("url", bad.rule, bad.validator) from None
    port = parts.port
    if port is not None and not _allows_any_target(targets) and port != HTTPS_PORT and port < UNPRIVILEGED_PORT_MIN:
        rule = f"must have port {HTTPS_PORT}, or {UNPRIVILEGED_PORT_MIN} or above"
        raise Invalid.field("url", rule, "Port")
    return parts


def is_allowed(address: str, targets: str) -> bool:
    """Whether a connection to this address may be made."""
    return _allows_any_target(targets) or is_public(address)


def is_public(address: str) -> bool:
    """Whether the address is on the public internet. False for text that is not an address.

    The list of networks decides. Python's `is_global` is only an additional check: it differs between patch levels.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip.ipv4_mapped is None and ip not in _UNICAST:
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not any(ip in network for network in _NON_PUBLIC_NETWORKS)


def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of a host, in the resolver's order, each once. Raises `OSError` if there are none."""
    try:
        results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is empty or too long
        raise OSError(f"no such host: {host}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in results))


def _allows_any_target(targets: str) -> bool:
    return targets == ANY_TARGET
