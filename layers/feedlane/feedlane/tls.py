"""TLS as a client: whom we believe."""

from __future__ import annotations

import ssl
from functools import lru_cache

import certifi


@lru_cache(maxsize=1)
def client_context() -> ssl.SSLContext:
    """Reading the certificates takes some 20 ms, so it is done once for all clients."""
    return ssl.create_default_context(cafile=certifi.where())
