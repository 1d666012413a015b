"""Web addresses from people: one check of their form, for webhooks, redirects, logos and origins alike.

An accepted address is visible ASCII with a plain host, so it can be put into a header or a page unchanged.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

LENGTH_MAX = 2048
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")
# Not all that a mail address may be: what people have, and what is safe in a link.
_MAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?P<host>[A-Za-z0-9.-]{1,253})")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class BadAddress(ValueError):
    """`rule` reads "must …"; `validator` names it in the API's errors."""

    def __init__(self, rule: str, validator: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.validator = validator


def parse_address(url: str, schemes: frozenset[str] = frozenset({"https"})) -> SplitResult:
    """The URL's parts, with a valid host and port. Raises `BadAddress`."""
    if len(url) > LENGTH_MAX:
        raise BadAddress(f"must have at most {LENGTH_MAX} characters", "MaximumLength")
    if not _VISIBLE_ASCII.fullmatch(url) or "\\" in url:
        raise BadAddress("must be visible ASCII characters, without a backslash", "Url")
    try:
        parts = urlsplit(url)
        _, host = parts.port, parts.hostname
    except ValueError:
        raise BadAddress("must be a URL", "Url") from None
    if parts.scheme not in schemes:
        raise BadAddress("must begin with https://", "Https")
    if "@" in parts.netloc:
        raise BadAddress("must not have a user name or password", "UserInfo")
    if not host or not _is_host(parts.netloc, host):
        raise BadAddress("must have a host name or an address (IPv6 in brackets)", "Host")
    return parts


def is_safe_address(url: str) -> bool:
    """Whether it is an https URL, or http on this machine."""
    try:
        parts = parse_address(url, frozenset(_DEFAULT_PORTS))
    except BadAddress:
        return False
    return parts.scheme == "https" or parts.hostname in LOCAL_HOSTS


def is_mail_address(text: str) -> bool:
    match = _MAIL.fullmatch(text)
    return match is not None and "." in match["host"] and _NAME.fullmatch(match["host"]) is not None


def origin_of(url: str) -> str:
    """The origin as a browser writes it: scheme, host in lower case, and the port if it is not the default.

    Empty unless the URL is a safe address.
    """
    if not is_safe_address(url):
        return ""
    parts = urlsplit(url)
    host, port = parts.netloc.lower(), parts.port
    suffix = f":{port}" if port is not None else ":"
    is_default = port is None or port == _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host.removesuffix(suffix) if is_default else host}"


def _is_host(netloc: str, host: str) -> bool:
    """A name, or an address: IPv6 in brackets, without a scope; nothing else may be in brackets."""
    try:
        is_ipv6 = ip_address(host).version == 6
    except ValueError:
        is_ipv6 = False
    if netloc.startswith("[") != is_ipv6 or "%" in host:
        return False
    return is_ipv6 or _NAME.fullmatch(host) is not None
