"""Sets of screws that go together in one end: the one that holds most, found by branch and bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..plan.entries import ScrewType
from ..plan.plan import Screw, ScrewRules
from .moves import as_vec
from .screw_shots import SPARE_MM, Shots

_CHANNEL_MM = 30.0  # of the way cut for a driver, from the head outwards
_MOST_LOOKED_AT = 1500  # screws whose partners are looked at: then the best set so far is taken


@dataclass(frozen=True, eq=False)
class Pool:
    """The screws that one hole may hold, best first. partners: what has been told of which go together."""

    kind: ScrewType
    bicortical: bool
    shots: Shots
    partners: dict[tuple[ScrewRules, int, int], np.ndarray] = field(default_factory=dict, repr=False)

    def partners_of(self, rules: ScrewRules, number: int, other: Pool) -> np.ndarray:
        """(n,) bool: which screws of another pool (or this) one of these may stand beside; told once."""
        key = rules, id(other), number
        found = self.partners.get(key)
        if found is None:
            one = Rods.of(self, np.array([number]))
            found = self.partners[key] = together(rules, one, Rods.of(other))
        return found

    def screw(self, number: int, like: Screw) -> Screw:
        """One of them as a plan's, with what a person decided about the hole."""
        return like.with_(
            entry=as_vec(self.shots.entries[number]),
            direction=as_vec(self.shots.ways[number]),
            length_mm=float(self.shots.lengths[number]),
        )


@dataclass(frozen=True, eq=False)
class Rods:
    """Screws as lines, to tell them apart. entries, ways: (n, 3); lengths (n,)."""

    kind: ScrewType
    entries: np.ndarray
    ways: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, pool: Pool, which: slice | np.ndarray = slice(None)) -> Rods:
        """Those of a pool."""
        shots = pool.shots
        return cls(pool.kind, shots.entries[which], shots.ways[which], shots.lengths[which])

    @classmethod
    def screw(cls, screw: Screw) -> Rods:
        """One planned screw."""
        return cls(
            screw.type, np.array([screw.entry]), np.array([screw.direction]), np.array([screw.length_mm], dtype=float)
        )


def apart(rules: ScrewRules, one: Rods, others: Rods) -> dict[str, np.ndarray]:
    """(n,) what each of other screws leaves of each rule between it and one (of one row): mm, or degrees."""
    a, u = one.entries[0], one.ways[0]
    b, v = others.entries, others.ways
    kind, other = one.kind, others.kind
    start, start_other = kind.head_radius_mm, other.head_radius_mm
    threads = between(a + start * u, one.lengths[0] - start, u, b + start_other * v, others.lengths - start_other, v)
    seats = kind.seat_radius_mm + other.seat_radius_mm + rules.around_head_mm
    ways = np.minimum(
        between(a, 0.0, u, b, np.full(len(b), _CHANNEL_MM), -v), between(a, _CHANNEL_MM, -u, b, np.zeros(len(b)), v)
    )
    bores = np.minimum(
        between(a, 0.0, u, b, others.lengths, v) - kind.seat_radius_mm - 0.5 * other.clearance_hole_mm,
        between(a, one.lengths[0], u, b, np.zeros(len(b)), v) - 0.5 * kind.clearance_hole_mm - other.seat_radius_mm,
    )
    angle = np.degrees(np.arccos(np.clip(v @ u, -1.0, 1.0)))
    return {
        "screw_mm": threads - 0.5 * (kind.diameter_mm + other.diameter_mm) - rules.screw_mm - SPARE_MM,
        "around_head_mm": np.minimum(ways - seats, bores - rules.around_head_mm) - SPARE_MM,
        "least_convergence_deg": 0.5 * angle - rules.least_convergence_deg,
        "most_convergence_deg": rules.most_convergence_deg - 0.5 * angle,
    }


def together(rules: ScrewRules, one: Rods, others: Rods) -> np.ndarray:
    """(n,) bool: which of others one screw may stand beside."""
    good: np.ndarray = np.min(list(apart(rules, one, others).values()), axis=0) >= 0.0
    return good


def between(
    a: np.ndarray, long: float, u: np.ndarray, b: np.ndarray, others_long: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """(n,) least distance from a segment (from a (3,), so long, along u) to others (from b (n, 3), along v (n, 3))."""
    away, slant = a - b, v @ u
    d, e = away @ u, np.einsum("ij,ij->i", away, v)
    flat = 1.0 - slant**2
    s = np.where(flat > 1e-9, (slant * e - d) / np.maximum(flat, 1e-9), 0.0).clip(0.0, long)
    t = (e + slant * s).clip(0.0, others_long)
    s = (slant * t - d).clip(0.0, long)
    rest = away + s[:, None] * u - t[:, None] * v
    found: np.ndarray = np.sqrt(np.einsum("ij,ij->i", rest, rest))
    return found


def best_set(
    rules: ScrewRules,
    pools: Sequence[Pool],
    allowed: Sequence[np.ndarray],
    fixed: Sequence[Rods],
    unlike: Sequence[Sequence[np.ndarray]] = (),
) -> tuple[int, ...] | None:
    """Numbers of the screws, one of each pool, that together hold most, among those allowed (n,) bool each; none of
    which meets a fixed one. unlike: for each set that it must differ from, which screws (n,) bool of each pool are like
    that set's; it has one at least that is not. None where no set goes together."""
    open_ = [mask.copy() for mask in allowed]
    for one in fixed:
        for pool, mask in zip(pools, open_):
            some = np.flatnonzero(mask)
            mask[some] = together(rules, one, Rods.of(pool, some))
    search = _Search(rules, pools)
    search.from_(0, (), 0.0, open_, unlike)
    return search.best


class _Search:
    """Depth first, the strongest first; left where what remains cannot beat the best."""

    def __init__(self, rules: ScrewRules, pools: Sequence[Pool]) -> None:
        self.rules, self.pools = rules, pools
        self.best: tuple[int, ...] | None = None
        self.most, self.looked = -np.inf, 0

    def from_(
        self,
        hole: int,
        chosen: tuple[int, ...],
        held: float,
        open_: Sequence[np.ndarray],
        unlike: Sequence[Sequence[np.ndarray]],
    ) -> None:
        """Goes on from a hole with what is chosen for those before it, which hold so many newtons; open_: for each hole
        (n,) bool, which shots still go with them; unlike: the sets that all of them are like."""
        if hole == len(self.pools):
            if held > self.most + 1e-9:
                self.best, self.most = chosen, held
            return
        rest = self._most_of(hole + 1, open_)
        if rest is None:
            return
        purchase, here = self.pools[hole].shots.purchase, open_[hole]
        if hole == len(self.pools) - 1:
            here = np.logical_and.reduce([here, *(~like[hole] for like in unlike)])
        for number in np.flatnonzero(here):
            if held + purchase[number] + rest <= self.most + 1e-9 or self.looked >= _MOST_LOOKED_AT:
                return
            self.looked += 1
            left = list(open_)
            for later in range(hole + 1, len(self.pools)):
                mask = open_[later] & self.pools[hole].partners_of(self.rules, int(number), self.pools[later])
                if self.pools[later] is self.pools[hole]:
                    mask[:number] = False  # holes of one kind are alike: each set is looked at once
                left[later] = mask
            still = [like for like in unlike if like[hole][number]]
            self.from_(hole + 1, (*chosen, int(number)), held + float(purchase[number]), left, still)

    def _most_of(self, first: int, open_: Sequence[np.ndarray]) -> float | None:
        """The most that later holes may hold; None where one has nothing left."""
        total = 0.0
        for pool, mask in zip(self.pools[first:], open_[first:]):
            if not mask.any():
                return None
            total += float(pool.shots.purchase[mask.argmax()])
        return total
