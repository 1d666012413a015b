"""A refusal of the upstream, as data."""

from __future__ import annotations

from pydantic import Field

from feedlane.record import Record

# How the types of Codat's own problems begin here: it gives them none.
_CODATS = "codat-"


class Problem(Record):
    """A problem in the words of RFC 9457: `type` (an open string), `title`, `status` (HTTP), `detail`.

    `answer` is the whole answer in which a system in between has passed the problem on, as text up to a length; it is
    left out of every form of the problem if there is none.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    answer: str = Field("", exclude_if=lambda answer: not answer)

    def says_the_same(self, other: Problem) -> bool:
        """Whether only the answer around it differs, which has a correlation id of its own each time."""
        return self.but(answer="") == other.but(answer="")

    @property
    def is_codats(self) -> bool:
        """Whether Codat says it for itself. A problem of Xero's that Codat passes on has Xero's type."""
        return self.type.startswith(_CODATS)

    @property
    def sentence(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title
