"""The screws of a plan, all of an end together: those that hold most of all that are safe.

Purchase is the sum of Chapman's pull-out forces. Every place of the flange (or foot, where there is none), every
direction about the surgeon's way and every length made are tried in bulk against what verification would fail; sets
that go together are found by branch and bound, bettered little by little, and held against verification's own measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
from LatticeGeneratorLib.progress import Progress, silent

from ..build.design import End, Situation
from ..build.situation import situation
from ..case.model import Case
from ..errors import PlanError
from ..plan.curve import axis_curve
from ..plan.plan import Plan, Screw, ScrewRules
from ..plan.presets import preset_screws
from ..threads import side_by_side
from ..verify.purchase import pullout_of
from .moves import as_vec
from .screw_end import ScrewEnd, planned_at, screw_end
from .screw_judge import bounds
from .screw_lines import Fit, Shots, Tally
from .screw_refine import refined, screw_of
from .screw_search import densely, everywhere, fit_of
from .screw_sets import Pool, Rods, best_set
from .screw_whole import Giving, GivingWay, Pushed, Whole, head_depth, head_depths, push_left_mm
from .screw_words import binding, refusal

_MOST = 4  # screws of an end
_TRIES = 12  # sets that are held against verification before none is found
_APART_MM, _APART_DEG = 2.5, 8.0  # screws farther apart in place or direction are clearly different
_SAME_MM, _SAME_DEG = 0.8, 3.0  # nearer ones are not tried again where one did not hold
_RUNNERS_UP = 3
_STEP_MM = 0.1  # by which heads must stand less deep in what they push too far, at least
_LOOKED_AT = 150  # screws of a hole, evenly of all, by which is told what keeps sets apart


@dataclass(frozen=True)
class ScrewSet:
    """The screws of an end. pullout_N: the sum over them; bindings: for each what binds it, in words."""

    screws: tuple[Screw, ...]
    pullout_N: float
    bindings: tuple[str, ...]


@dataclass(frozen=True)
class EndScrews:
    """The best screws of an end, and a few sets that are clearly different."""

    level: str
    best: ScrewSet
    runners_up: tuple[ScrewSet, ...] = ()

    @property
    def sets(self) -> tuple[ScrewSet, ...]:
        """The best one first."""
        return (self.best, *self.runners_up)


def plan_screws(case: Case, plan: Plan, progress: Progress = silent) -> tuple[EndScrews, EndScrews]:
    """The best safe screws of both ends, upper first, through the plan's flanges (or feet, where there are none).

    As many as the plan has at each level, of their types, else the preset's. Locked ones stay as they are. Raises
    PlanError where an end has no safe set, telling for each such end what rules out everything and what to change;
    CaseError and GeometryError as `situation` and the implant's preview.
    """
    progress("measuring", 0.0)
    where = situation(case, plan)
    ends: tuple[End, End] = ("upper", "lower")
    progress("screws of both ends", 0.2)
    told = _planned_or_told(where, ends, lambda: progress("screws of both ends", 0.2))
    refused = [str(one) for one in told if isinstance(one, PlanError)]
    if refused:
        raise PlanError("; and ".join(refused))
    upper, lower = (one for one in told if isinstance(one, EndScrews))
    return upper, lower


def with_screws(plan: Plan, ends: Sequence[EndScrews]) -> Plan:
    """The plan with these ends' best screws in place of its own at their levels."""
    for end in ends:
        plan = with_set(plan, end.level, end.best)
    return plan


def with_set(plan: Plan, level: str, chosen: ScrewSet) -> Plan:
    """The plan with these screws in the place of a level's own; the upper end's come first."""
    kept = tuple(screw for screw in plan.screws if screw.level != level)
    return plan.with_(screws=(*chosen.screws, *kept) if level == plan.upper else (*kept, *chosen.screws))


def with_safe_screws(where: Situation) -> Plan:
    """The situation's plan with the best safe screws at each end whose own verification would fail; where an end has
    none its screws stay as they are, for verification to tell.

    Where its own are safe they stay too: flange and heads were chosen together.
    """
    ends: tuple[End, End] = ("upper", "lower")
    told = _planned_or_told(where, [end for end in ends if not _safe(where, end)])
    return with_screws(where.plan, [one for one in told if isinstance(one, EndScrews)])


def _safe(where: Situation, end: End) -> bool:
    """Whether an end's screws hold every rule that planned ones hold."""
    place = screw_end(where, axis_curve(where.plan.axis, where.plan.section), end)
    screws = planned_at(where.plan, place.level)
    return all(
        bound.left >= 0.0
        for screw in screws
        for bound in bounds(place, screw, [other for other in screws if other is not screw])
    )


def planned_end(where: Situation, end: End, whole: Whole | None = None) -> EndScrews:
    """The best safe screws of one end. Raises PlanError where there are none, as `plan_screws`. whole: the situation's
    implant, where both ends share it.

    Heads keep the implant's own rules so that they pass; where no set does that, so that they do not fail.
    """
    place = screw_end(where, axis_curve(where.plan.axis, where.plan.section), end)
    holes, whole = _holes(place), whole or Whole(where)
    try:
        return _planned(place, holes, whole)
    except PlanError:
        tolerant = place.tolerant()
        if tolerant.before == place.before:
            raise
    return _planned(tolerant, holes, whole)


def _planned(place: ScrewEnd, holes: tuple[Screw, ...], whole: Whole) -> EndScrews:
    locked, free = [s for s in holes if s.locked], [s for s in holes if not s.locked]
    if not free:
        return _told(place, [_set(place, holes, whole)])
    fits = {key: fit_of(place, *key) for key in dict.fromkeys((s.type, s.bicortical) for s in free)}
    giving = [ways for ways in whole.ways(place) if ways]
    pools = {key: _pool(place, fit, giving) for key, fit in fits.items()}
    of_holes = [fits[s.type, s.bicortical] for s in free]
    search = _End(place, holes, whole, giving, [pools[s.type, s.bicortical] for s in free], of_holes)
    first = search.best(())
    if first is None and len(free) + len(locked) > 1:
        pools = {key: Pool(*key, densely(place, fit, giving, Tally())) for key, fit in fits.items()}
        search = _End(place, holes, whole, giving, [pools[s.type, s.bicortical] for s in free], of_holes)
        first = search.best(())
    if first is None:
        raise PlanError(_not_together(place, search.pools, [Rods.screw(s) for s in locked]))
    others = [search.best((hole,), first) for hole in range(len(free))]
    sets = sorted([first, *(one for one in others if one is not None)], key=lambda one: -one.pullout_N)
    return _told(place, _different(sets))


def _different(sets: Sequence[ScrewSet]) -> list[ScrewSet]:
    """Those of sets (best first) that are clearly different from all before."""
    kept: list[ScrewSet] = []
    for one in sets:
        if not any(all(any(_near(s, o) for o in other.screws) for s in one.screws) for other in kept):
            kept.append(one)
    return kept


def _near(one: Screw, other: Screw) -> bool:
    away = float(np.linalg.norm(np.subtract(one.entry, other.entry)))
    turned = float(np.degrees(np.arccos(np.clip(np.dot(one.direction, other.direction), -1.0, 1.0))))
    return away < _APART_MM and turned < _APART_DEG


def _planned_or_told(
    where: Situation, ends: Sequence[End], waiting: Callable[[], None] = lambda: None
) -> list[EndScrews | PlanError]:
    """The best screws of each end, or why there are none."""
    whole = Whole(where)

    def told(end: End) -> EndScrews | PlanError | None:
        try:
            return planned_end(where, end, whole)
        except PlanError as error:
            return error

    # The core that is done first makes ready what the other end will ask for.
    tasks: list[Callable[[], EndScrews | PlanError | None]] = [partial(told, end) for end in ends]
    made = side_by_side([*tasks, whole.prepare] if len(tasks) > 1 else tasks, waiting)
    return [one for one in made if one is not None]


def _holes(end: ScrewEnd) -> tuple[Screw, ...]:
    """The plan's screws at the level, else the preset's types. Raises PlanError for more than can be planned."""
    given = planned_at(end.plan, end.level)
    if not given:
        kinds = preset_screws(end.plan.preset)[0 if end.name == "upper" else 1]
        centre, way = as_vec(end.plate.centre), as_vec(end.access)
        given = tuple(Screw(kind, end.level, centre, way, kind.lengths_mm[0]) for kind in kinds)
    if len(given) > _MOST:
        raise PlanError(f"screws: {end.level} has {len(given)}; at most {_MOST} of an end are planned: take some out")
    return given


def _pool(end: ScrewEnd, fit: Fit, giving: Giving) -> Pool:
    """Every safe screw of a type. Raises PlanError where there is none."""
    tally = Tally()
    shots = everywhere(end, fit, giving, tally)
    if not len(shots):
        raise PlanError(refusal(end, fit, tally))
    return Pool(fit.kind, fit.bicortical, shots)


class _End:
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

    def best(self, unlike: Sequence[int], first: ScrewSet | None = None) -> ScrewSet | None:
        """The best set that verification would not fail; of holes `unlike` those of the first set are not tried."""
        for _ in range(_TRIES):
            allowed = [self.spoilt[id(pool)].copy() for pool in self.pools]
            for hole in unlike:
                assert first is not None
                for screw in [s for s in first.screws if not s.locked][hole : hole + 1]:
                    allowed[hole] &= ~_alike(self.pools[hole].shots, screw, _APART_MM, _APART_DEG)
            found = self._strongest(allowed)
            if found is None:
                return None
            chosen, giving = found
            starts = [pool.shots.chosen(slice(k, k + 1)) for pool, k in zip(self.pools, chosen)]
            for shots in (refined(self.end, self.fits, starts, self.fixed, giving), starts):
                screws = self._screws(shots)
                failing = [s for s in screws if not s.locked and not _holds(self.end, s, screws)]
                pushed = () if failing else self.whole.pushed(self.end, screws)
                if not failing and all(one.bound.left >= 0.0 for one in pushed):
                    return _set(self.end, _as_long_as_hold(self.end, screws), self.whole)
            for pool, screw in zip(self.pools, [s for s in screws if not s.locked]):
                if screw in failing:
                    self.spoilt[id(pool)] &= ~_alike(pool.shots, screw, _SAME_MM, _SAME_DEG)
            for one in pushed:
                self._spoil_deep(one, screws)
        return None

    def _strongest(self, allowed: Sequence[np.ndarray]) -> tuple[tuple[int, ...], tuple[GivingWay, ...]] | None:
        """Numbers of the set that holds most of all that let each structure give way in some direction, and these."""
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
            chosen = best_set(rules, self.pools, open_, self.fixed)
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


def _alike(shots: Shots, screw: Screw, near_mm: float, near_deg: float) -> np.ndarray:
    """(n,) bool: which lie near a screw, in place and direction."""
    away = np.linalg.norm(shots.entries - np.asarray(screw.entry), axis=1)
    turned = np.degrees(np.arccos(np.clip(shots.ways @ np.asarray(screw.direction), -1.0, 1.0)))
    found: np.ndarray = (away < near_mm) & (turned < near_deg)
    return found


def _set(end: ScrewEnd, screws: Sequence[Screw], whole: Whole) -> ScrewSet:
    together = [one.bound for one in whole.pushed(end, screws)]
    words = tuple(binding(end, s, [o for o in screws if o is not s], together) for s in screws)
    return ScrewSet(tuple(screws), sum(pullout_of(end.where.case, s) for s in screws), words)


def _told(end: ScrewEnd, sets: Sequence[ScrewSet]) -> EndScrews:
    best, *others = sets
    return EndScrews(end.level, best, tuple(others[:_RUNNERS_UP]))


def _not_together(end: ScrewEnd, pools: Sequence[Pool], fixed: Sequence[Rods]) -> str:
    """Which of the rules between screws leave no set, and what to change."""
    rules = end.plan.screw_rules
    every = [np.arange(len(pool.shots)) % max(len(pool.shots) // _LOOKED_AT, 1) == 0 for pool in pools]
    loose = {
        "screw_mm": {"screw_mm": 0.0},
        "around_head_mm": {"around_head_mm": 0.0},
        "least_convergence_deg": {"least_convergence_deg": 0.0},
        "most_convergence_deg": {"most_convergence_deg": 45.0},
    }
    blocking = [
        f"screw_rules.{field} = {getattr(rules, field):g}"
        for field, change in loose.items()
        if best_set(_loosened(rules, change), pools, every, fixed) is not None
    ]
    by = f"without {' or '.join(blocking)} a set would go together" if blocking else "no single rule is to blame"
    flange = f"{end.name}_flange" if end.shape.flange else f"{end.name}_foot"
    return (
        f"{end.level}: each of its {len(pools)} screws alone has a safe place, but no set of them goes together; {by}; "
        f"make {flange}.width_mm or height_mm larger, take thinner "
        "types, or fewer screws"
    )


def _loosened(rules: ScrewRules, change: dict[str, float]) -> ScrewRules:
    return replace(rules, **change)
