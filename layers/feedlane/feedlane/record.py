"""The base of everything stored: an immutable pydantic model whose JSON form is its stored form."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value. Money is `Decimal` and is stored as text, so that no digit is lost."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def but(self, **changes: Any) -> Self:
        """A copy with some fields changed. Their types are not validated."""
        return self.model_copy(update=changes)
