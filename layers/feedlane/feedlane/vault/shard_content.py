"""What is in a shard: the pairs of several token sets."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from feedlane.credentials.token_set import TokenSet
from feedlane.record import Record
from feedlane.vault.secrets import SecretVersion

PAIRS_MAX = 3


class Pair(Record):
    """What one refresh brought. Its id is the token set's valid version, if its lease item names it."""

    id: str
    tokens: TokenSet

    def as_former(self) -> Pair:
        """Only the refresh token is of use, and only if the pairs after this one are not valid."""
        ended = datetime.fromtimestamp(0, self.tokens.expires_at.tzinfo)
        return self.but(tokens=self.tokens.but(access_token="", expires_at=ended))


# By token set, the newest first. The others are the one before, and those of holders that died after their write.
Members = dict[str, tuple[Pair, ...]]


class Content(Record):
    """A version of a shard. Its serial is higher than that of every version that it is made from."""

    serial: int = 0
    members: Members = {}


def parse_content(version: SecretVersion | None) -> Content | None:
    """None for a version that cannot be read, too: its token sets are unavailable, and nobody else's."""
    try:
        return None if version is None else Content.model_validate_json(version.text)
    except ValidationError:
        return None


def with_unpublished(valid: Content, last: Content | None) -> Content:
    """Behind each valid pair, those that only a later version has. The store may also show an earlier one as the last.

    Without this, a pair would be forgotten that somebody stored and died, and that Xero may honour as the only one.
    """
    if last is None or last.serial <= valid.serial:
        return valid
    members = dict(valid.members)
    for id, pairs in last.members.items():
        known = members.get(id, ())
        unknown = tuple(pair.as_former() for pair in pairs if _is_unknown(pair, known))
        members[id] = (*known[:1], *unknown, *known[1:])[:PAIRS_MAX]
    return Content(serial=last.serial, members=members)


def _is_unknown(pair: Pair, pairs: tuple[Pair, ...]) -> bool:
    return all(pair.id != other.id for other in pairs)
