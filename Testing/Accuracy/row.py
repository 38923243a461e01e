"""A figure with its limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from SpinalStrutDesignerLib.verify.finding import Finding


@dataclass(frozen=True)
class Row:
    """case, what: of what; value: measured; least, most: what it may be, None where there is no such limit; forbidden:
    whether a check's verdict on it forbids manufacture, None where none is asked."""

    case: str
    what: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None
    forbidden: bool | None = None

    @property
    def holds(self) -> bool:
        """Whether it is within its limits, and forbids nothing."""
        low = self.least is not None and self.value < self.least
        high = self.most is not None and self.value > self.most
        return not (low or high or self.forbidden)

    @property
    def verdict(self) -> str:
        """That in words; a figure to which nothing sets a limit is only reported."""
        if (self.least, self.most, self.forbidden) == (None, None, None):
            return "reported"
        return "holds" if self.holds else "DOES NOT HOLD"

    @property
    def limit(self) -> str:
        """Its limits in words."""
        low = "" if self.least is None else f"≥ {self.least:.3g}"
        high = "" if self.most is None else f"≤ {self.most:.3g}"
        return " and ".join(part for part in (low, high) if part)


def row_of(case: str, finding: Finding, value: float) -> Row:
    """A check's finding: it holds unless its verdict forbids manufacture."""
    what = f"{finding.title}: {finding.verdict}, {finding.limit}"
    return Row(case, what, value, finding.unit, forbidden=finding.verdict not in ("pass", "warn"))


def show(rows: Iterable[Row]) -> bool:
    """Prints each figure as it comes, and returns whether all hold."""
    print(f"{'case':16} {'figure':52} {'measured':>10}        limit")
    sound = True
    for row in rows:
        print(f"{row.case:16} {row.what:52} {row.value:10.3f} {row.unit:6} {row.limit:12} {row.verdict}", flush=True)
        sound &= row.holds
    print("all hold" if sound else "NOT ALL HOLD")
    return sound
