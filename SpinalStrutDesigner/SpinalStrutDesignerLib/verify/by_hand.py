"""Docking endplates that a person set by hand because none could be measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..case.endplate_by_hand import REACH_MM
from .finding import Finding
from .measured import Measured
from .registry import check


@check(order=92)
def by_hand(measured: Measured) -> Iterator[Finding]:
    """How far the bone lies from a plane that nothing but a person's eye vouches for."""
    if measured.prefix:
        return
    for plate in (measured.implant.situation.upper, measured.implant.situation.lower):
        if not plate.by_hand:
            continue
        heights = plate.to_local(plate.surface)[:, 2]
        worst = int(np.argmax(np.abs(heights)))
        yield measured.finding(
            f"endplate.{plate.level}.by_hand",
            f"{plate.level} {plate.face} endplate set by hand: bone beside the plane",
            float(np.sqrt(np.mean(heights**2))),
            "mm",
            "a person has compared the plane with the CT; waive by name to say so",
            "not_evaluated",
            "no endplate could be measured there: its place, size and direction have an error that is not known",
            plate.surface[worst],
            critical=True,
            detail=(
                f"root mean square; at most {abs(heights[worst]):.1f} mm, bone farther than {REACH_MM:g} mm does not "
                "count. The outline is an ellipse"
            ),
        )
