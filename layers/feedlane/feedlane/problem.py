"""A refusal of the upstream, as data."""

from __future__ import annotations

from feedlane.record import Record


class Problem(Record):
    """A problem in the words of RFC 9457: `type` (an open string), `title`, `status` (HTTP), `detail`."""

    type: str
    title: str
    status: int
    detail: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title
