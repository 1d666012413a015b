"""TLS as a client: which certificates Feedlane trusts."""

from __future__ import annotations

import ssl
from functools import lru_cache

import certifi


@lru_cache(maxsize=1)
def client_context() -> ssl.SSLContext:
    """Reading the certificates takes about 20 ms, so all clients share one context."""
    return ssl.create_default_context(cafile=certifi.where())
