"""The tables and notes of the drawing: holes as printed and as finished, their axes, variants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..build.design import Design, Implant
from ..build.screws import HoleShape, finished_hole, printed_hole
from .drawing_views import DatumFrame
from .screws_csv import angles_in, fixed
from .sheet import Sheet

_ROW_MM = 5.2
_TEXT_PT, _HEAD_PT = 7.0, 6.0


def table(
    sheet: Sheet, title: str, heads: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]],
    column: tuple[float, float], top: float,
) -> float:  # fmt: skip
    """Draws a table below a height, widths as shares of the column; a line break parts a head in two. Returns where it
    ends."""
    left, right = column
    edges = left + np.concatenate([[0.0], np.cumsum(widths)]) / sum(widths) * (right - left)
    sheet.text(left, top, title, 8.0, bold=True)
    head, low = top - 3.5, top - 3.5 - 1.6 * _ROW_MM - len(rows) * _ROW_MM
    lines = [head, *(head - 1.6 * _ROW_MM - n * _ROW_MM for n in range(len(rows) + 1))]
    for number, y in enumerate(lines):
        sheet.line(np.array([[left, y], [right, y]]), 0.35 if number < 2 or number == len(lines) - 1 else 0.15)
    for number, x in enumerate(edges):
        sheet.line(np.array([[x, head], [x, low]]), 0.35 if number in (0, len(edges) - 1) else 0.15)
    middles = (edges[:-1] + edges[1:]) / 2.0
    for x, words in zip(middles, heads):
        parts = words.split("\n")
        for number, part in enumerate(parts):
            y = head - 0.8 * _ROW_MM + (0.5 * (len(parts) - 1) - number) * 2.8
            sheet.text(float(x), y, part, _HEAD_PT, "center")
    for number, row in enumerate(rows):
        y = head - (1.6 + number + 0.5) * _ROW_MM
        for x, words in zip(middles, row):
            sheet.text(float(x), y, words, _TEXT_PT, "center")
    return low


def holes_table(sheet: Sheet, implant: Implant, column: tuple[float, float], top: float) -> float:
    """Every hole's diameters, seats and stock; and the screw that goes in."""
    plan = implant.situation.plan
    rows = []
    for number, screw in enumerate(plan.screws, 1):
        kind = screw.type
        made, printed = finished_hole(kind), printed_hole(kind, plan.holes)
        rows.append((
            str(number), screw.level, f"{kind.diameter_mm:g} × {screw.length_mm:g}", f"{kind.pilot_mm:g}",
            f"{2 * printed.bore_radius:.2f}", _seat(printed), f"{2 * made.bore_radius:.2f}", _seat(made),
            f"{made.seat_depth:.2f}", f"{plan.holes.seat_stock_mm:g}", screw.anti_backout.replace("_", " "),
        ))  # fmt: skip
    heads = ("No.", "Level", "Screw\nØ × length", "Pilot\ndrill Ø", "PRINTED\nbore Ø", "PRINTED\nseat",
             "FINISHED\nbore Ø", "FINISHED\nseat", "Seat\ndepth", "Stock\non seat", "Against\nbacking out")  # fmt: skip
    widths = (0.6, 0.8, 1.5, 1.0, 1.3, 1.9, 1.4, 1.9, 0.9, 0.9, 1.7)
    return table(sheet, "SCREW HOLES", heads, widths, rows or [("–",) * len(heads)], column, top)


def axes_table(
    sheet: Sheet, implant: Implant, frame: DatumFrame, column: tuple[float, float], top: float
) -> float:  # fmt: skip
    """Where each screw's axis lies: the middle of its head's flat top, the way to its tip, and its angles."""
    rows = []
    for number, screw in enumerate(implant.situation.plan.screws, 1):
        place, way = frame.points(np.array(screw.entry)), frame.directions(np.array(screw.direction))
        angles = angles_in(implant, screw)
        rows.append((
            str(number), *(fixed(x, 2) for x in place), *(fixed(x, 5) for x in way),
            fixed(angles.inclination_deg, 1) + "°", fixed(angles.convergence_deg, 1) + "°", screw.type.drive,
        ))  # fmt: skip
    heads = ("No.", "X", "Y", "Z", "direction\nX", "direction\nY", "direction\nZ", "off its\nendplate",
             "con-\nvergence", "Drive")  # fmt: skip
    widths = (0.6, 1.2, 1.2, 1.2, 1.4, 1.4, 1.4, 1.2, 1.2, 2.2)
    title = "SCREW AXES in the datum frame: middle of the head's flat top, unit vector to the tip"
    return table(sheet, title, heads, widths, rows or [("–",) * len(heads)], column, top)


def variants_table(
    sheet: Sheet, design: Design, frame: DatumFrame, column: tuple[float, float], top: float
) -> float:  # fmt: skip
    """Every implant's file, its size in the datum frame and where the middle of datum B comes to lie."""
    rows = []
    for implant in design.implants:
        corners = frame.points(implant.part.mesh.vertices)
        size = corners.max(axis=0) - corners.min(axis=0)
        b = frame.points(implant.situation.lower.centre)
        printed = f"{implant.printed.name}.stl" if implant.printed is not None else "as finished"
        rows.append((f"{implant.part.name}.stl", printed, " × ".join(f"{x:.1f}" for x in size),
                     " / ".join(fixed(x, 2) for x in b), f"{implant.axis.length_mm:.1f}"))  # fmt: skip
    heads = ("Finished", "Printed", "Size X × Y × Z", "Middle of B: X / Y / Z", "Strut's\naxis")
    return table(sheet, "IMPLANTS", heads, (2.2, 3.0, 2.2, 2.4, 0.9), rows, column, top)


def notes(sheet: Sheet, implant: Implant, frame: DatumFrame, left: float, top: float) -> None:
    """What the tables do not say."""
    plan, situation = implant.situation.plan, implant.situation
    section = plan.section
    between = float(np.degrees(np.arccos(np.clip(-(situation.upper.normal @ situation.lower.normal), -1.0, 1.0))))
    lines = (
        f"A: plane of the upper docking endplate, {situation.upper.level} {situation.upper.face}. "
        f"B: lower, {situation.lower.level} {situation.lower.face}; A to B {between:.1f}°.",
        "C: mid-plane between right and left. Origin: middle of A. X to the patient's right, Y to the front, Z up.",
        f"Strut as planned: {section.shape.replace('_', ' ')} {section.width_mm:g} × {section.depth_mm:g}"
        + (f", below {section.lower_width_mm or section.width_mm:g} × {section.lower_depth_mm or section.depth_mm:g}"
           if section.lower_width_mm or section.lower_depth_mm else "") + ". Free form: as the STL files.",
        f"Holes are printed with bores {plan.holes.undersize_mm:g} smaller and {plan.holes.seat_stock_mm:g} of stock "
        "on seats, then milled. SR: sphere about the middle of the head's top;",
        "Ø, angle: cone, its diameter in the plane of the head's top. The driver's way above is printed as it is.",
        "Screws, seats and drives are the catalogue's, partly recalled: verify against the hospital's set.",
        "Porous faces, where there are any: mask them; no blasting, no polishing. Clear powder before heat treatment.",
    )  # fmt: skip
    sheet.text(left, top, "NOTES", 8.0, bold=True)
    for number, line in enumerate(lines, 1):
        sheet.text(left, top - 4.4 * number, line, 7.0)


def _seat(hole: HoleShape) -> str:
    """A seat in a few signs."""
    if hole.seat_depth == 0.0:
        return "none"
    if hole.half_angle_deg is None:
        return f"SR {hole.seat_radius:.2f}"
    return f"Ø {2 * hole.seat_radius:.2f}, {2 * hole.half_angle_deg:g}°"
