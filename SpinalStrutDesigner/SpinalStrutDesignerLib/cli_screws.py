"""`spinal-strut screws`: the best safe screws of a plan, with what binds them and what else there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from LatticeGeneratorLib.cli_progress import Stages, end_bar, shown_as

from .cli_options import read_given
from .cli_plan import check_levels, decided, plan_in, write_file

if TYPE_CHECKING:
    import argparse

    from .plan.plan import Screw
    from .propose.screw_plan import EndScrews, ScrewSet


def plan_all(options: argparse.Namespace) -> list[str]:
    """Plans all screws of a plan, writes it with the best of them and, where asked for, all sets found; what is told of
    them."""
    from .plan.json import plan_to_json
    from .propose.screw_plan import plan_screws, with_screws
    from .propose.screws_json import ends_to_json

    plan = decided(plan_in(options.plan), options)
    stages = Stages(shown_as(options.progress), {"reading": 1.0, "planning screws": 3.0})
    with stages.stage("reading") as progress:
        case = read_given(options, progress)
    check_levels(case, plan, options)
    with stages.stage("planning screws") as progress:
        ends = plan_screws(case, plan, progress)
    end_bar(options.progress)
    write_file(options.out, plan_to_json(with_screws(plan, ends)), "plan")
    if options.sets is not None:
        write_file(options.sets, ends_to_json(ends), "sets of screws")
    return list(screw_lines(ends))


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
