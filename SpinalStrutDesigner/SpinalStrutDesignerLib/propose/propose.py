"""A complete first plan for a patient: axis, section, feet, flanges and screws."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from os import PathLike

import numpy as np

from ..build.design import Situation
from ..case.endplate import find_endplate
from ..case.model import Case, Endplate
from ..errors import CaseError
from ..plan.curve import axis_curve
from ..plan.entries import ScrewType
from ..plan.plan import Flange, FootPlan, Plan, Screw
from ..plan.presets import preset as preset_plan
from ..plan.presets import preset_screws
from ..threads import both
from .attachment import Attachment, propose_attachment
from .axis import Candidate, propose_strut
from .corridor import Corridor, demand
from .foot import Site, fitted_foot
from .grow import grown
from .prospect import prospect
from .screw_plan import with_safe_screws
from .screws import ground

EndTypes = tuple[tuple[ScrewType, ...], tuple[ScrewType, ...]]
"""The screw types of the upper and of the lower level."""


def propose_plan(
    case: Case, upper: str, lower: str, preset: str = "case2", catalogue: str | PathLike[str] | None = None
) -> Plan:
    """A complete sensible plan for bridging from upper to lower, starting from a preset's dimensions;
    catalogue: a hospital's own file of screws.

    No rule is loosened: where the anatomy leaves no way the least bad plan is returned, and verification names what
    blocks it. Raises CaseError where a docking endplate cannot be found, GeometryError where the disc space beside one
    has no room for any foot, PlanError for a preset or level unknown.
    """
    return complete_plan(case, preset_plan(preset, upper, lower), catalogue)


def complete_plan(case: Case, plan: Plan, catalogue: str | PathLike[str] | None = None) -> Plan:
    """A started plan with axis, section, feet, flanges and screws proposed; all else in it is kept. catalogue: a
    hospital's own file of screws.

    Where a person has locked a screw, that end keeps its flange and its screws. Raises as `propose_plan`.
    """
    types = preset_screws(plan.preset, catalogue)
    found, _ = both(lambda: _planned(case, plan, types), lambda: _measure_ahead(case, plan))
    return found


def _measure_ahead(case: Case, plan: Plan) -> None:
    """Makes the distance fields that the planner asks for, in the order in which it does."""
    for structure in sorted(case.structures, key=lambda s: s.level is None):
        if structure.role == "bone" or demand(plan, structure) is not None:
            with suppress(CaseError):  # told where the structure is really needed
                _ = structure.mask.field


def _planned(case: Case, plan: Plan, types: EndTypes) -> Plan:
    view = prospect(case, plan)
    anatomy, room, sites = view.where.case, view.room, view.sites
    strut = grown(room, propose_strut(room, plan, *view.ends), *view.ends)
    return held(anatomy, with_strut(anatomy, plan, strut, sites), room, sites, types)


def with_strut(case: Case, plan: Plan, strut: Candidate, sites: tuple[Site, Site]) -> Plan:
    """The plan with a strut, and feet that suit their sites and its ends. case: posed and resected, near the span."""
    curve = axis_curve(strut.axis, strut.section)
    return plan.with_(
        axis=strut.axis,
        section=strut.section,
        upper_foot=fitted_foot(case, plan, sites[0], curve, 0),
        lower_foot=fitted_foot(case, plan, sites[1], curve, -1),
    )


def held(case: Case, plan: Plan, room: Corridor, sites: tuple[Site, Site], types: EndTypes) -> Plan:
    """The plan with screws, and flanges where they are better, at both ends: through each the safest that hold most,
    where there are any. case: posed and resected."""
    curve = axis_curve(plan.axis, plan.section)

    def attachment(found: Site, foot: FootPlan, end: int) -> Attachment:
        site = replace(found, foot=foot)
        other = opposite(case, site.plate)
        soil = ground(case, plan, site.plate, other, room, _access(room, foot), foot.fit_gap_mm)
        return propose_attachment(soil, site, types[end], curve, end)

    upper, lower = both(
        lambda: attachment(sites[0], plan.upper_foot, 0), lambda: attachment(sites[1], plan.lower_foot, -1)
    )
    upper_screws, upper_flange = _kept(plan, plan.upper) or (upper.screws, upper.flange)
    lower_screws, lower_flange = _kept(plan, plan.lower) or (lower.screws, lower.flange)
    attached = plan.with_(upper_flange=upper_flange, lower_flange=lower_flange, screws=upper_screws + lower_screws)
    return with_safe_screws(Situation("nominal", 0.0, case, attached, sites[0].plate, sites[1].plate))


def _kept(plan: Plan, level: str) -> tuple[tuple[Screw, ...], Flange | None] | None:
    """What an end holds where a person has locked one of its screws; None where it is free to be proposed anew."""
    screws = tuple(screw for screw in plan.screws if screw.level == level)
    if not any(screw.locked for screw in screws):
        return None
    return screws, plan.upper_flange if level == plan.upper else plan.lower_flange


def opposite(case: Case, plate: Endplate) -> Endplate | None:
    """The other endplate of a plate's vertebra; None where the scan or a destroyed level does not show it."""
    try:
        return find_endplate(case, plate.level, "superior" if plate.face == "inferior" else "inferior")
    except CaseError:  # the plan can do without it: verification then says that the distance was not evaluated
        return None


def _access(room: Corridor, foot: FootPlan) -> np.ndarray:
    """The way the surgeon looks at an end."""
    right, anterior, _ = room.frame.axes
    return {"anterior": -anterior, "right": -right, "left": right}[foot.approach]
