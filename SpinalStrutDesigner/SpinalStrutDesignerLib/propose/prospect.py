"""Where a strut between two levels may be looked for: surroundings, both ends, and the room between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..build.design import Situation
from ..build.situation import situation
from ..case.column import mechanical_axis
from ..case.model import Case
from ..errors import PlanError
from ..plan.plan import Plan
from .corridor import Corridor, column_frame, corridor
from .foot import Site, find_site
from .grow import largest_section
from .path import EndRegion

_LEAST_MM = 5.0  # an axis has five control points, which should not lie nearer than a millimetre to each other


@dataclass(frozen=True, eq=False)
class Prospect:
    """A case and plan as a strut is looked for in them. sites: upper and lower end; room: for sections as large as the
    plan's, or as its sizing may make them."""

    where: Situation
    sites: tuple[Site, Site]
    room: Corridor

    @property
    def ends(self) -> tuple[EndRegion, EndRegion]:
        """Where the axis may begin and where it may end."""
        upper, lower = self.sites
        return upper.region, lower.region


def prospect(case: Case, plan: Plan) -> Prospect:
    """Measures both docking endplates, the column between them, and what every rule leaves free.

    Raises CaseError where a docking endplate cannot be found, GeometryError where a disc space has no room for its
    foot, PlanError for a correction of what is not there and for levels so near to each other that nothing is left
    between the feet.
    """
    where = situation(case, plan)
    frame = column_frame(where.upper, where.lower, mechanical_axis(where.case, where.upper, where.lower))
    sites = (
        find_site(where.case, where.upper, plan.upper_foot, plan.interface),
        find_site(where.case, where.lower, plan.lower_foot, plan.interface),
    )
    _refuse_short(plan, *sites)
    section = plan.section
    if section.sizing != "fixed":
        section = largest_section(section, *(site.region for site in sites))
    room = corridor(where.case, plan.with_(section=section), frame, plan.upper_foot.fit_gap_mm)
    return Prospect(where, sites, room)


def _refuse_short(plan: Plan, upper: Site, lower: Site) -> None:
    first, last = (site.plate.centre + site.region.out_mm * site.plate.normal for site in (upper, lower))
    chord = lower.plate.centre - upper.plate.centre
    apart = float(np.linalg.norm(chord))
    left = float((last - first) @ chord) / apart
    if left < _LEAST_MM:
        raise PlanError(
            f"lower: from {plan.upper} to {plan.lower} there is nothing to bridge: their endplates lie {apart:.1f} mm "
            f"apart, and between the places where a strut begins in the upper foot and ends in the lower {left:.1f} mm "
            f"are left, of at least {_LEAST_MM:g}; choose levels farther apart, or lower feet (upper_foot.height_mm, "
            f"lower_foot.height_mm)"
        )
