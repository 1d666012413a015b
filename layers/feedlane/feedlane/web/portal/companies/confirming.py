"""What is typed before something is deleted: its name, so that nobody deletes another by mistake."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Confirmation:
    """`text` is to be typed; `is_id`: it is the id, because the page could show nothing of the name."""

    text: str
    is_id: bool

    @property
    def kind(self) -> str:
        return "id" if self.is_id else "name"

    def is_given(self, entered: str) -> bool:
        """Whether it is what the page shows: a browser shows several spaces as one, and none at the ends."""
        return entered.split() == self.text.split()


def confirmation(name: str, id: str) -> Confirmation:
    is_readable = any(sign.isprintable() and not sign.isspace() for sign in name)
    return Confirmation(name if is_readable else id, not is_readable)
