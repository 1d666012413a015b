"""Who may ask the vault for what. A caller invokes the function through an alias of its own, which has its name.

IAM cannot see what a message asks for. It can see the alias: each caller's role may invoke its own and no other
(`template.yaml`), and Lambda tells the function through which one it was invoked.
"""

from __future__ import annotations

_TOKENS = frozenset({"access_token"})
_CONSENT = frozenset({"exchange_code"})
_KEYS = frozenset({"save_app_keys", "add_app_secret", "drop_app_secret"})
_CONSUMERS = frozenset({"create_webhook_secret", "delete_webhook_secret"})
_CODAT = frozenset({"codat_key"})
_CODAT_KEYS = frozenset({"save_codat_key", "drop_codat_key", "save_codat_webhook_secret"})
_SIGNING = frozenset({"webhook_secrets", "webhook_headers"})

ALLOWED = {
    "public_api": _KEYS | _CONSUMERS | _TOKENS | _CODAT | _CODAT_KEYS | {"set_webhook_headers"},
    "portal": _KEYS | _CONSUMERS | _TOKENS | _CODAT | _CODAT_KEYS | {"app_keys", "set_webhook_headers"},
    "link": _TOKENS | _CODAT,
    "oauth_callback": _CONSENT | _TOKENS | _CODAT | {"codat_webhook_secrets"},
    "push_statements": _TOKENS | _CODAT,
    "check_statements": _TOKENS | _CODAT,
    "tend_connections": _TOKENS | _CODAT | {"app_keys", "revoke", "app_token", "codat_keys"},
    "deliver_webhooks": _SIGNING,
}


class NotAllowed(Exception):
    """A function asks for what it has no use for: it has a mistake, or somebody else is in it. Quotes no secret."""


def require_allowed(invoked_function_arn: str, action: str) -> None:
    """Raises `NotAllowed`, also if the function was invoked without an alias."""
    caller = "".join(invoked_function_arn.split(":")[7:8])
    if action not in ALLOWED.get(caller, ()):
        raise NotAllowed(f"{caller or 'A caller without an alias'} may not ask the vault for {action}")
