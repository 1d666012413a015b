"""What a platform may write to its customer, ready to be sent: in the events about what only the customer can mend."""

from __future__ import annotations

from typing import Any

from feedlane.texts import LANGUAGES, has_text, say, spoken


def customer_messages(reason: str) -> dict[str, Any] | None:
    """By language, a subject and a text. None if the customer can do nothing about this reason of a hold or fault."""
    why = f"message.why.{reason}"
    return {language: _message(language, why) for language in LANGUAGES} if has_text(why) else None


def _message(language: str, why: str) -> dict[str, str]:
    with spoken(language):
        return {"subject": say("message.subject"), "text": say("message.text", why=say(why))}
