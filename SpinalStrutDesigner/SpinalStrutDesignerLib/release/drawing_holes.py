"""Each kind of screw hole in section: as finished, and as printed within it."""

from __future__ import annotations

import numpy as np

from ..build.design import Implant
from ..build.screws import HoleShape, finished_hole, printed_hole
from .sheet import Sheet, Style

_SCALE = 3.0
_ABOVE_MM, _BELOW_MM = 1.5, 3.0  # of the driver's way above the head's top and of the bore below the seat, shown
_APART_MM = 12.0


def hole_sections(sheet: Sheet, implant: Implant, left: float, right: float, top: float) -> None:
    """Sections from left on and as many as fit before right, below top, one for each type of screw."""
    plan = implant.situation.plan
    if not plan.screws:
        return
    sheet.text(left, top, f"HOLES IN SECTION {_SCALE:g}:1", 7.5, bold=True)
    sheet.text(left, top - 4.4, "solid: finished; dashed: printed; line across: the head's flat top", 6.0)
    for kind in dict.fromkeys(screw.type for screw in plan.screws):
        made, printed = finished_hole(kind), printed_hole(kind, plan.holes)
        half = _SCALE * made.way_radius
        if left + 2.0 * half > right:
            return
        numbers = [str(n) for n, screw in enumerate(plan.screws, 1) if screw.type == kind]
        level = top - 11.0 - _SCALE * _ABOVE_MM
        deepest = max(made.seat_depth, printed.seat_depth) + _BELOW_MM
        _draw(sheet, made, deepest, left + half, level, 0.4, "solid")
        _draw(sheet, printed, deepest, left + half, level, 0.2, "dashed")
        axis = np.array([[0.0, 2.0 * _ABOVE_MM], [0.0, -deepest - 1.0]]) * _SCALE + [left + half, level]
        sheet.line(axis, 0.18, "chain", "#0b3d91")
        sheet.line(np.array([[left - 2.0, level], [left + 2.0 * half + 2.0, level]]), 0.13)
        sheet.text(left + half, level - _SCALE * (deepest + 1.0) - 3.0, f"No. {', '.join(numbers)}", 7.0, "center")
        left += 2.0 * half + _APART_MM


def _draw(sheet: Sheet, hole: HoleShape, deepest: float, x: float, y: float, width_mm: float, style: Style) -> None:
    """Both walls of a hole about the axis at x, its head's top at y."""
    above = np.array([[-_ABOVE_MM, hole.way_radius], [0.0, hole.way_radius]])
    wall = _SCALE * np.vstack([above, hole.profile(deepest)])
    for side in (-1.0, 1.0):
        sheet.line(np.column_stack([x + side * wall[:, 1], y - wall[:, 0]]), width_mm, style)
