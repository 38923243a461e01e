"""`spinal-strut screws`: the best safe screws of a plan, with what binds them and what else there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from LatticeGeneratorLib.progress import Progress

if TYPE_CHECKING:
    from .case.model import Case
    from .plan.plan import Plan, Screw
    from .propose.screw_plan import EndScrews, ScrewSet


def planned(case: Case, plan: Plan, progress: Progress) -> tuple[Plan, list[str]]:
    """The plan with its screws planned, and what is told of them."""
    from .propose.screw_plan import plan_screws, with_screws

    ends = plan_screws(case, plan, progress)
    return with_screws(plan, ends), list(screw_lines(ends))


def screw_lines(ends: Sequence[EndScrews]) -> Iterator[str]:
    """A table of each end's screws with what binds each, and of what is clearly different and holds nearly as much."""
    for end in ends:
        yield f"{end.level}: {len(end.screws)} screws, pulled out by {end.pullout_N:.0f} N together"
        yield from _set_lines(end)
        for number, other in enumerate(end.runners_up, 1):
            share = 100.0 * other.pullout_N / end.pullout_N if end.pullout_N else 0.0
            yield f"  alternative {number}: {other.pullout_N:.0f} N ({share:.0f} %)"
            yield from (f"  {line}" for line in _set_lines(other))


def _set_lines(screws: EndScrews | ScrewSet) -> Iterator[str]:
    for screw, words in zip(screws.screws, screws.bindings):
        yield f"  {_screw_words(screw)}"
        yield f"      binds: {words}"


def _screw_words(screw: Screw) -> str:
    entry = ", ".join(f"{value:.1f}" for value in screw.entry)
    way = ", ".join(f"{value:+.2f}" for value in screw.direction)
    marks = (", bicortical" if screw.bicortical else "") + (", locked" if screw.locked else "")
    return f"{screw.type.name}, {screw.length_mm:g} mm, head at ({entry}), towards ({way}){marks}"
