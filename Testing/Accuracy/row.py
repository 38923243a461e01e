"""A figure with its limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """case, what: of what; value: measured; least, most: what it may be, None where there is no such limit."""

    case: str
    what: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is within its limits."""
        return not (
            (self.least is not None and self.value < self.least) or (self.most is not None and self.value > self.most)
        )

    @property
    def limit(self) -> str:
        """Its limits in words."""
        low = "" if self.least is None else f"≥ {self.least:.3g}"
        high = "" if self.most is None else f"≤ {self.most:.3g}"
        return " and ".join(part for part in (low, high) if part)


def show(rows: Iterable[Row]) -> bool:
    """Prints each figure as it comes, and returns whether all hold."""
    print(f"{'case':16} {'figure':52} {'measured':>10}        limit")
    sound = True
    for row in rows:
        verdict = "holds" if row.holds else "DOES NOT HOLD"
        print(f"{row.case:16} {row.what:52} {row.value:10.3f} {row.unit:6} {row.limit:12} {verdict}", flush=True)
        sound &= row.holds
    print("all hold" if sound else "NOT ALL HOLD")
    return sound
