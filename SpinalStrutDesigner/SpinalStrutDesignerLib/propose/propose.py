"""A complete first plan for a patient: axis, section, feet, flanges and screws."""

from __future__ import annotations

import numpy as np

from ..build.situation import situation
from ..case.column import mechanical_axis
from ..case.endplate import find_endplate
from ..case.model import Case
from ..plan.plan import Plan
from ..plan.presets import preset as preset_plan
from .axis import propose_strut
from .corridor import column_frame, corridor
from .foot import find_site, fitted_foot

_MARGIN_MM = 45.0  # room kept around the span: vessels and ribs beside it, the docking vertebrae whole


def propose_plan(case: Case, upper: str, lower: str, preset: str = "case2") -> Plan:
    """A complete sensible plan for bridging from upper to lower, starting from a preset's dimensions.

    No rule is loosened: where the anatomy leaves no way the least bad plan is returned, and verification names what
    blocks it. Raises CaseError where a docking endplate cannot be found, PlanError for a preset or level unknown.
    """
    plan = preset_plan(preset, upper, lower)
    near = around_span(case, upper, lower)
    where = situation(near, plan)
    line = mechanical_axis(where.case, upper, lower)
    upper_site = find_site(where.case, where.upper, plan.upper_foot)
    lower_site = find_site(where.case, where.lower, plan.lower_foot)
    room = corridor(where.case, plan, column_frame(where.upper, where.lower, line), plan.upper_foot.fit_gap_mm)
    strut = propose_strut(room, plan.section, upper_site.region, lower_site.region)
    first, last = (np.array(strut.axis.control_points[k]) for k in (0, -1))
    return plan.with_(
        axis=strut.axis,
        section=strut.section,
        upper_foot=fitted_foot(upper_site, first),
        lower_foot=fitted_foot(lower_site, last),
    )


def around_span(case: Case, upper: str, lower: str) -> Case:
    """The part of the case that a design from upper to lower can touch."""
    ends = [find_endplate(case, upper, "inferior").centre, find_endplate(case, lower, "superior").centre]
    return case.cropped(np.min(ends, axis=0) - _MARGIN_MM, np.max(ends, axis=0) + _MARGIN_MM)
