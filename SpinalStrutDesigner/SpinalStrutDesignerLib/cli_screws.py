"""`spinal-strut screws`: the best safe screws of a plan, with what binds them and what else there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from LatticeGeneratorLib.cli_progress import Stages, end_bar, shown_as

from .cli_files import check_places, write_files
from .cli_options import read_given
from .cli_plan import check_levels, decided, plan_in

if TYPE_CHECKING:
    import argparse

    from .case.model import Case
    from .plan.plan import Plan, Screw
    from .propose.screw_choice import ScrewSet
    from .propose.screw_plan import EndScrews


def plan_all(options: argparse.Namespace) -> list[str]:
    """Plans all screws of a plan, writes it with the best of them and, where asked for, all sets found; what is told of
    them."""
    from .plan.json import plan_to_json
    from .propose.screw_plan import plan_screws, with_screws
    from .propose.screws_json import ends_to_json

    check_places(options.out, options.sets)
    plan = decided(plan_in(options.plan), options)
    stages = Stages(shown_as(options.progress), {"reading": 1.0, "planning screws": 3.0})
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    check_levels(case, plan, options)
    with stages.stage("planning screws") as progress:
        ends = plan_screws(case, plan, progress)
    end_bar(options.progress)
    files = [(options.out, plan_to_json(with_screws(plan, ends)), "plan")]
    if options.sets is not None:
        files.append((options.sets, ends_to_json(ends), "sets of screws"))
    write_files(*files)
    return [*screw_lines(ends), *label_notes(case, plan)]


def label_notes(case: Case, plan: Plan) -> Iterator[str]:
    """What is wrong with the docking vertebrae's labels, though not so much that nothing can be planned."""
    from .build.situation import corrected

    for bone in (s for s in corrected(case, plan).structures if s.level in (plan.upper, plan.lower)):
        for fault in bone.mask.soundness.faults:
            yield f"note: the label of {bone.name} is not sound: {fault}; correct it and plan again"


def screw_lines(ends: Sequence[EndScrews]) -> Iterator[str]:
    """A table of each end's screws with what binds each, and of what is clearly different and holds nearly as much."""
    for end in ends:
        best = end.best
        yield f"{end.level}: {len(best.screws)} screws, pulled out by {best.pullout_N:.0f} N together"
        yield from _set_lines(best)
        for number, other in enumerate(end.runners_up, 1):
            share = 100.0 * other.pullout_N / best.pullout_N if best.pullout_N else 0.0
            yield f"  alternative {number}: {other.pullout_N:.0f} N ({share:.0f} %)"
            yield from (f"  {line}" for line in _set_lines(other))


def _set_lines(screws: ScrewSet) -> Iterator[str]:
    for screw, words in zip(screws.screws, screws.bindings):
        yield f"  {_screw_words(screw)}"
        yield f"      binds: {words}"


def _screw_words(screw: Screw) -> str:
    entry = ", ".join(f"{value:.1f}" for value in screw.entry)
    way = ", ".join(f"{value:+.2f}" for value in screw.direction)
    marks = (", bicortical" if screw.bicortical else "") + (", locked" if screw.locked else "")
    return f"{screw.type.name}, {screw.length_mm:g} mm, head at ({entry}), towards ({way}){marks}"
