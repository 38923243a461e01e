"""The screws of a plan, all of an end together: those that hold most of all that are safe.

Purchase is the sum of Chapman's pull-out forces. Every place of the flange (or foot, where there is none), every
direction about the surgeon's way and every length made are tried in bulk against what verification would fail; sets
that go together are found by branch and bound, bettered little by little, and held against verification's own measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

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
from .moves import as_vec
from .screw_choice import Choice, ScrewSet, screw_set
from .screw_end import ScrewEnd, planned_at, screw_end
from .screw_judge import bounds
from .screw_search import densely, everywhere, fit_of
from .screw_sets import Pool, Rods, best_set
from .screw_shots import Fit, Tally
from .screw_whole import Giving, Whole
from .screw_words import refusal

_MOST = 4  # screws of an end
_LOOKED_AT = 150  # screws of a hole, evenly of all, by which is told what keeps sets apart


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
        return EndScrews(place.level, screw_set(place, holes, whole))
    fits = {key: fit_of(place, *key) for key in dict.fromkeys((s.type, s.bicortical) for s in free)}
    giving = [ways for ways in whole.ways(place) if ways]
    pools = {key: _pool(place, fit, giving) for key, fit in fits.items()}
    of_holes = [fits[s.type, s.bicortical] for s in free]
    sets = Choice(place, holes, whole, giving, [pools[s.type, s.bicortical] for s in free], of_holes).sets()
    if not sets and len(holes) > 1:
        pools = {key: Pool(*key, densely(place, fit, giving, Tally())) for key, fit in fits.items()}
        sets = Choice(place, holes, whole, giving, [pools[s.type, s.bicortical] for s in free], of_holes).sets()
    if not sets:
        raise PlanError(_not_together(place, [pools[s.type, s.bicortical] for s in free], locked))
    return EndScrews(place.level, sets[0], tuple(sets[1:]))


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


def _not_together(end: ScrewEnd, pools: Sequence[Pool], locked: Sequence[Screw]) -> str:
    """Which of the rules between screws leave no set, and what to change."""
    rules, fixed = end.plan.screw_rules, [Rods.screw(s) for s in locked]
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
