"""A figure, the floor it is measured against, and the aim."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`name` is the key in `build/bench.json`. A figure without an aim is only reported."""

    name: str
    value: float
    floor: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def aim(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    @property
    def is_met(self) -> bool:
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    @property
    def rounded(self) -> float:
        """Four significant digits."""
        return float(f"{self.value:.4g}")
