"""The sets of an end's screws: begun from several, each bettered little by little, and held against verification's own
measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf

import numpy as np

from ..plan.plan import Screw
from ..verify.purchase import pullout_of
from .screw_end import ScrewEnd
from .screw_judge import bounds
from .screw_refine import ALIKE, bettered, refined, screw_of
from .screw_sets import Pool, Rods, best_set
from .screw_shots import Fit, Shots
from .screw_whole import Giving, GivingWay, Pushed, Whole, head_depth, head_depths, push_left_mm
from .screw_words import binding

_STARTS = 8  # sets that are begun from: between them lie the ways into which one of them alone does not lead
_TRIES = 24  # sets that are held against verification before none is found
_RUNNERS_UP = 3
_APART_MM, _APART_DEG = 2.5, 8.0  # screws farther apart in place or direction are clearly different
_SAME_MM, _SAME_DEG = 0.8, 3.0  # nearer ones are not tried again where one did not hold
_STEP_MM = 0.1  # by which heads must stand less deep in what they push too far, at least


@dataclass(frozen=True)
class ScrewSet:
    """The screws of an end. pullout_N: the sum over them; bindings: for each what binds it, in words."""

    screws: tuple[Screw, ...]
    pullout_N: float
    bindings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Begun:
    """A set to begin from, its screws one row each, and the directions in which what it touches gives way."""

    shots: list[Shots]
    giving: tuple[GivingWay, ...]


class Choice:
    """The search for sets of one end."""

    def __init__(
        self, end: ScrewEnd, holes: Sequence[Screw], whole: Whole, giving: Giving, pools: list[Pool], fits: list[Fit]
    ) -> None:
        self.end, self.holes, self.whole, self.pools, self.fits = end, holes, whole, pools, fits
        self.free = [s for s in holes if not s.locked]
        self.fixed = [Rods.screw(s) for s in holes if s.locked]
        self.spoilt = {id(pool): np.ones(len(pool.shots), dtype=bool) for pool in pools}
        every = list({id(pool): pool for pool in pools}.values())
        # Directions in which heads let what they touch give way, as (ways, shots) bool of each pool.
        self.lets = [_lets(end, ways, every) for ways in giving if any(_touches(end, ways[0], p) for p in every)]

    def sets(self) -> list[ScrewSet]:
        """The strongest sets that verification would not fail, strongest first, each clearly different from all before;
        none where it would fail all that are tried."""
        held: list[tuple[float, ScrewSet]] = []  # with what the search itself says that it holds
        tries, lost = 0, inf
        while tries < _TRIES and lost > max((purchase for purchase, _ in held), default=0.0):
            lost = 0.0
            for begun, shots in self._bettered():
                made = self._made(begun, shots)
                tries += 1
                if made is None:
                    lost = max(lost, ALIKE * _purchase(shots))
                else:
                    held.append((_purchase(shots), made))
                if len(held) > _RUNNERS_UP or tries == _TRIES:
                    break
        return _different(made for _, made in held)[: 1 + _RUNNERS_UP]

    def _bettered(self) -> list[tuple[_Begun, list[Shots]]]:
        """Sets to begin from, and what each is bettered to, the strongest of these first."""
        tried = [(one, bettered(self.end, self.fits, one.shots, self.fixed, one.giving)) for one in self._begun()]
        return sorted(tried, key=lambda pair: -_purchase(pair[1]))

    def _begun(self) -> Iterator[_Begun]:
        """The strongest set of the pools, and others, of each of which a screw is clearly different."""
        allowed, before = [self.spoilt[id(pool)] for pool in self.pools], list[list[np.ndarray]]()
        while len(before) < _STARTS and (found := self._strongest(allowed, before)) is not None:
            chosen, giving = found
            yield _Begun([pool.shots.chosen(slice(k, k + 1)) for pool, k in zip(self.pools, chosen)], giving)
            screws = [pool.screw(k, hole) for pool, k, hole in zip(self.pools, chosen, self.free)]
            before.append([_alike(p.shots, s, _APART_MM, _APART_DEG) for p, s in zip(self.pools, screws)])

    def _made(self, begun: _Begun, shots: Sequence[Shots]) -> ScrewSet | None:
        """What a set comes to; where verification would fail it, the set that was begun from; where it would fail that
        too, none, and screws like it are not tried again."""
        finely = refined(self.end, self.fits, shots, self.fixed, begun.giving)
        for some in (finely, begun.shots):
            screws = self._screws(some)
            failing = [s for s in screws if not s.locked and not _holds(self.end, s, screws)]
            pushed = () if failing else self.whole.pushed(self.end, screws)
            if not failing and all(one.bound.left >= 0.0 for one in pushed):
                return screw_set(self.end, _as_long_as_hold(self.end, screws), self.whole)
        for pool, screw in zip(self.pools, [s for s in screws if not s.locked]):
            if screw in failing:
                self.spoilt[id(pool)] &= ~_alike(pool.shots, screw, _SAME_MM, _SAME_DEG)
        for one in pushed:
            self._spoil_deep(one, screws)
        return None

    def _strongest(
        self, allowed: Sequence[np.ndarray], unlike: Sequence[Sequence[np.ndarray]]
    ) -> tuple[tuple[int, ...], tuple[GivingWay, ...]] | None:
        """Numbers of the set that holds most of all that let each structure give way in some direction and differ from
        those before, as `best_set`; and these directions."""
        rules, best, most = self.end.plan.screw_rules, None, -np.inf
        tried = []
        for chosen_ways in product(*self.lets):
            giving = tuple(way for way, _ in chosen_ways)
            open_ = [
                np.logical_and.reduce([mask, *(lets[id(pool)] for _, lets in chosen_ways)])
                for pool, mask in zip(self.pools, allowed)
            ]
            if all(mask.any() for mask in open_):
                bound = sum(float(pool.shots.purchase[mask].max()) for pool, mask in zip(self.pools, open_))
                tried.append((bound, giving, open_))
        for bound, giving, open_ in sorted(tried, key=lambda one: -one[0]):
            if bound <= most:
                break
            chosen = best_set(rules, self.pools, open_, self.fixed, unlike)
            held = -np.inf if chosen is None else sum(float(p.shots.purchase[k]) for p, k in zip(self.pools, chosen))
            if chosen is not None and held > most + 1e-9:
                best, most = (chosen, giving), held
        return best

    def _spoil_deep(self, pushed: Pushed, screws: Sequence[Screw]) -> None:
        """Of the hole whose head stands deepest in what a set pushes too far, heads as deep are not tried again."""
        free = [s for s in screws if not s.locked]
        depths = [head_depth(pushed.structure, [screw], self.end) for screw in free]
        if pushed.bound.left >= 0.0 or not depths:
            return
        deepest = int(np.argmax(depths))
        shots, screw = self.pools[deepest].shots, free[deepest]
        depth = head_depths(pushed.structure, self.end, screw.type, shots.entries, shots.ways)
        self.spoilt[id(self.pools[deepest])] &= depth < depths[deepest] - max(_STEP_MM, -0.5 * pushed.bound.left)

    def _screws(self, shots: Sequence[Shots]) -> tuple[Screw, ...]:
        """The holes with these screws, locked ones as they are."""
        made = iter([screw_of(fit, one, hole) for fit, one, hole in zip(self.fits, shots, self.free)])
        return tuple(hole if hole.locked else next(made) for hole in self.holes)


def _touches(end: ScrewEnd, one: GivingWay, pool: Pool) -> bool:
    """Whether any head of a pool touches a structure."""
    depth = head_depths(one.structure, end, pool.kind, pool.shots.entries, pool.shots.ways)
    return bool((depth > 0.0).any())


def _lets(
    end: ScrewEnd, ways: tuple[GivingWay, ...], pools: Sequence[Pool]
) -> list[tuple[GivingWay, dict[int, np.ndarray]]]:
    """Directions in which a structure may give way, each with the heads (n,) bool of each pool that let it; without
    those that another serves as many heads as, and more."""
    each = {id(p): push_left_mm(ways, end, p.kind, p.shots.entries, p.shots.ways) >= 0.0 for p in pools}
    lets, kept = np.concatenate(list(each.values()), axis=1), list[int]()
    for number in np.argsort(-lets.sum(axis=1), kind="stable"):
        if not any((lets[number] <= lets[other]).all() for other in kept):
            kept.append(int(number))
    return [(ways[number], {key: found[number] for key, found in each.items()}) for number in kept]


def _holds(end: ScrewEnd, screw: Screw, screws: Sequence[Screw]) -> bool:
    return all(bound.left >= 0.0 for bound in bounds(end, screw, [s for s in screws if s is not screw]))


def _as_long_as_hold(end: ScrewEnd, screws: Sequence[Screw]) -> tuple[Screw, ...]:
    """The screws, each as long as its place lets it be: what was found in bulk keeps a little spare."""
    longest = list(screws)
    for number, screw in enumerate(screws):
        longer = [length for length in screw.type.lengths_mm if length > screw.length_mm and not screw.locked]
        for length in longer:
            tried = longest[number].with_(length_mm=length)
            if not _holds(end, tried, [*longest[:number], tried, *longest[number + 1 :]]):
                break
            longest[number] = tried
    return tuple(longest)


def _purchase(shots: Sequence[Shots]) -> float:
    return sum(float(one.purchase[0]) for one in shots)


def _different(sets: Iterable[ScrewSet]) -> list[ScrewSet]:
    """The strongest first, those that are clearly different from all before."""
    found: list[ScrewSet] = []
    for one in sorted(sets, key=lambda one: -one.pullout_N):
        if not any(_alike_sets(one, other) for other in found):
            found.append(one)
    return found


def _alike_sets(one: ScrewSet, other: ScrewSet) -> bool:
    """Whether each screw of a set lies near one of the other."""
    return all(any(_near(s, o) for o in other.screws) for s in one.screws)


def _near(one: Screw, other: Screw) -> bool:
    away = float(np.linalg.norm(np.subtract(one.entry, other.entry)))
    turned = float(np.degrees(np.arccos(np.clip(np.dot(one.direction, other.direction), -1.0, 1.0))))
    return away < _APART_MM and turned < _APART_DEG


def _alike(shots: Shots, screw: Screw, near_mm: float, near_deg: float) -> np.ndarray:
    """(n,) bool: which lie near a screw, in place and direction."""
    away = np.linalg.norm(shots.entries - np.asarray(screw.entry), axis=1)
    turned = np.degrees(np.arccos(np.clip(shots.ways @ np.asarray(screw.direction), -1.0, 1.0)))
    found: np.ndarray = (away < near_mm) & (turned < near_deg)
    return found


def screw_set(end: ScrewEnd, screws: Sequence[Screw], whole: Whole) -> ScrewSet:
    """Screws with what they hold, and what binds each."""
    together = [one.bound for one in whole.pushed(end, screws)]
    words = tuple(binding(end, s, [o for o in screws if o is not s], together) for s in screws)
    return ScrewSet(tuple(screws), sum(pullout_of(end.where.case, s) for s in screws), words)
