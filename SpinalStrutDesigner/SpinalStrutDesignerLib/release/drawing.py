"""drawing.pdf: one A3 sheet with the implant's views, its datums, and every screw hole as printed and as finished.

Datum A is the plane of the upper docking endplate, B that of the lower one, C the mid-plane between right and left
through the middle of A. First-angle projection, millimetres.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..build.design import Design, Implant
from ..plan.plan import Plan
from ..verify.finding import Finding
from .drawing_holes import hole_sections
from .drawing_tables import axes_table, holes_table, notes, variants_table
from .drawing_views import STEP_MM, DatumFrame, View, views
from .records import MARK, blocking_reasons
from .sheet import Sheet

SHEET_MM = (420.0, 297.0)  # A3, landscape
_BORDER_MM = 10.0
_SCALES = (5.0, 2.0, 1.0, 0.5, 0.2)  # ISO 5455
_VIEWS = (14.0, 196.0, 14.0, 283.0)  # left, right, low, high of what the views may take, mm
_BETWEEN, _ROOM = 34.0, 20.0  # between two views and around them, for dimensions
_COLUMN = (202.0, 406.0)  # left and right of the tables
_SCREW, _DATUM = "#0b3d91", "#a02020"  # colours of screws' axes and of datums
_BEYOND_MM = 8.0  # centre lines go on so far beyond what they belong to, on the sheet


def draw_drawing(design: Design, findings: Sequence[Finding], path: str | Path) -> None:
    """Writes the drawing of a verified design."""
    sheet = drawing(design, findings)
    sheet.save_pdf(path, f"{design.implants[0].situation.plan.case_code}: drawing")


def drawing(design: Design, findings: Sequence[Finding]) -> Sheet:
    """The drawing of a design's nominal implant."""
    implant = design.implants[0]
    frame = DatumFrame.of(implant)
    seen = views(implant, frame)
    scale = _scale(seen)
    sheet = Sheet(*SHEET_MM)
    width, height = SHEET_MM
    sheet.box(_BORDER_MM, _BORDER_MM, width - 2 * _BORDER_MM, height - 2 * _BORDER_MM, 0.5)
    shown = _placed(seen, scale)
    for placed in shown:
        _draw_view(sheet, placed, implant, frame)
    hole_sections(sheet, implant, float(shown[1].low[0]) - 8.0, _VIEWS[1], float(shown[2].high[1]) + 2.0)
    reasons = blocking_reasons(findings)
    top = SHEET_MM[1] - 16.0
    if reasons:
        _draw_mark(sheet, len(reasons), top)
        top -= 16.0
    top = holes_table(sheet, implant, _COLUMN, top)
    top = axes_table(sheet, implant, frame, _COLUMN, top - 8.0)
    top = variants_table(sheet, design, frame, _COLUMN, top - 8.0)
    notes(sheet, implant, frame, _COLUMN[0], top - 8.0)
    _draw_title(sheet, implant.situation.plan, design, scale, bool(reasons))
    return sheet


class _Placed:
    """A view on the sheet: its scale and where its own origin lies."""

    def __init__(self, view: View, scale: float, left: float, low: float) -> None:
        self.view, self.scale = view, scale
        self.origin = np.array([left, low]) - scale * view.low

    def on_sheet(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) sheet mm of places (n, 3) of the datum frame."""
        placed: np.ndarray = self.origin + self.scale * self.view.flat(points)
        return placed

    @property
    def low(self) -> np.ndarray:
        """(2,) its lower left corner on the sheet."""
        low: np.ndarray = self.origin + self.scale * self.view.low
        return low

    @property
    def high(self) -> np.ndarray:
        """(2,) its upper right corner on the sheet."""
        high: np.ndarray = self.origin + self.scale * self.view.high
        return high


def _scale(seen: Sequence[View]) -> float:
    """The largest usual scale at which the views have room."""
    front, side, above = (view.high - view.low for view in seen)
    left, right, low, high = _VIEWS
    for scale in _SCALES:
        wide = scale * (front[0] + side[0]) + 2.0 * _ROOM + _BETWEEN
        tall = scale * (front[1] + above[1]) + 2.0 * _ROOM + _BETWEEN
        if wide <= right - left and tall <= high - low:
            return scale
    return _SCALES[-1]


def _placed(seen: Sequence[View], scale: float) -> tuple[_Placed, ...]:
    """First angle: what is seen from the patient's right stands right of the front view, what from above below it."""
    front, side, above = seen
    left, _, _, high = _VIEWS
    x0 = left + _ROOM
    y0 = high - _ROOM - scale * (front.high[1] - front.low[1])
    beside = x0 + scale * (front.high[0] - front.low[0]) + _BETWEEN
    below = y0 - _BETWEEN - scale * (above.high[1] - above.low[1])
    return _Placed(front, scale, x0, y0), _Placed(side, scale, beside, y0), _Placed(above, scale, x0, below)


def _draw_view(sheet: Sheet, placed: _Placed, implant: Implant, frame: DatumFrame) -> None:
    view = placed.view
    low, high = placed.low, placed.high
    # A pixel stands for the place of its ray, in its middle.
    sheet.image(view.greys, low[0], low[0] + placed.scale * STEP_MM * view.greys.shape[1], low[1],
                low[1] + placed.scale * STEP_MM * view.greys.shape[0])  # fmt: skip
    for line in view.lines():
        sheet.line(placed.origin + placed.scale * line, 0.35)
    _draw_screws(sheet, placed, implant, frame)
    if view.up[2] == 0.0:
        sheet.text(float((low + high)[0]) / 2.0, low[1] - 15.0, view.name, 7.5, "center")
        _draw_c(sheet, placed)
        return
    sheet.text(float((low + high)[0]) / 2.0, high[1] + 15.5, view.name, 7.5, "center")
    _draw_planes(sheet, placed, implant, frame)
    _dimension_across(sheet, placed, low[1] - 7.0)
    if view.across[0]:
        _draw_c(sheet, placed)
        _dimension_up(sheet, placed, low[0] - 9.0, view.low[1], view.high[1])
    else:
        b = float(frame.points(implant.situation.lower.centre)[2])
        _dimension_up(sheet, placed, high[0] + 16.0, b, 0.0)


def _draw_screws(sheet: Sheet, placed: _Placed, implant: Implant, frame: DatumFrame) -> None:
    """Each screw's axis as a centre line, its number where it comes in, farther out where another one stands there."""
    taken: list[np.ndarray] = []
    for number, screw in enumerate(implant.situation.plan.screws, 1):
        entry, way = frame.points(np.array(screw.entry)), frame.directions(np.array(screw.direction))
        ends = placed.on_sheet(np.stack([entry, entry + screw.length_mm * way]))
        along = ends[1] - ends[0]
        length = float(np.linalg.norm(along))
        unit = along / length if length > 2.0 else np.array([0.0, -1.0])
        start = ends[0] - _BEYOND_MM * unit
        sheet.line(np.stack([start, ends[1] + 3.0 * unit]), 0.18, "chain", _SCREW)
        cross = np.array([[-1.5, 0.0], [1.5, 0.0]])
        sheet.line(ends[0] + cross, 0.18, color=_SCREW)
        sheet.line(ends[0] + cross[:, ::-1], 0.18, color=_SCREW)
        place = start - 2.4 * unit
        while any(np.linalg.norm(place - other) < 5.2 for other in taken):
            place = place - 1.3 * unit
        taken.append(place)
        sheet.line(np.stack([start, place]), 0.18, color=_SCREW)
        x, y = (float(v) for v in place)
        sheet.circle(x, y, 2.4)
        sheet.text(x, y, str(number), 7.0, "center")


def _draw_planes(sheet: Sheet, placed: _Placed, implant: Implant, frame: DatumFrame) -> None:
    """Datums A and B where they cut the sheet, with their letters."""
    situation = implant.situation
    for letter, plate in (("A", situation.upper), ("B", situation.lower)):
        centre = placed.on_sheet(frame.points(plate.centre)[None])[0]
        normal = placed.view.flat(frame.directions(plate.normal)[None])[0]
        along = np.array([normal[1], -normal[0]]) / np.linalg.norm(normal)
        along = along if along[0] > 0.0 else -along
        # From the right, screws come in at the right: letters stand at the left.
        left, right = placed.low[0] - 4.0, placed.high[0] + 5.0
        edges = (right, left - 5.8) if placed.view.across[1] else (left, right)
        reach = [(edge - centre[0]) / along[0] for edge in edges]
        line = centre + np.outer(reach, along)
        sheet.line(line, 0.25, "chain", _DATUM)
        _draw_letter(sheet, line[1], letter)


def _draw_c(sheet: Sheet, placed: _Placed) -> None:
    """Datum C, seen from its edge."""
    x = float(placed.on_sheet(np.zeros((1, 3)))[0, 0])
    low, high = float(placed.low[1]) - 4.0, float(placed.high[1]) + 6.0
    sheet.line(np.array([[x, low], [x, high]]), 0.25, "chain", _DATUM)
    if placed.view.up[2]:
        _draw_letter(sheet, np.array([x - 2.4, high + 2.4]), "C")


def _draw_letter(sheet: Sheet, place: np.ndarray, letter: str) -> None:
    x, y = (float(v) for v in place)
    sheet.filled(np.array([[x, y - 2.4], [x + 4.8, y - 2.4], [x + 4.8, y + 2.4], [x, y + 2.4]]), "white")
    sheet.box(x, y - 2.4, 4.8, 4.8, 0.3, _DATUM)
    sheet.text(x + 2.4, y - 0.1, letter, 8.0, "center", True, _DATUM)


def _dimension_across(sheet: Sheet, placed: _Placed, y: float) -> None:
    left, right = float(placed.low[0]), float(placed.high[0])
    for x in (left, right):
        sheet.line(np.array([[x, y - 1.5], [x, placed.low[1] - 1.0]]), 0.18)
    _arrow(sheet, np.array([left, y]), np.array([right, y]))
    size = float(placed.view.high[0] - placed.view.low[0])
    sheet.text((left + right) / 2.0, y - 2.6, f"{size:.1f}", 8.0, "center")


def _dimension_up(sheet: Sheet, placed: _Placed, x: float, low: float, high: float) -> None:
    """low, high: in the view, mm of the implant."""
    bottom, top = (float(placed.origin[1] + placed.scale * v) for v in (low, high))
    edge = float(placed.low[0]) if x < placed.low[0] else float(placed.high[0])
    outwards = 1.5 if x > edge else -1.5
    for y in (bottom, top):
        sheet.line(np.array([[edge + outwards, y], [x + outwards, y]]), 0.18)
    _arrow(sheet, np.array([x, bottom]), np.array([x, top]))
    sheet.text(x - 2.6, (bottom + top) / 2.0, f"{high - low:.1f}", 8.0, "center", turned=90.0)


def _arrow(sheet: Sheet, start: np.ndarray, end: np.ndarray) -> None:
    """A line with a head at both ends."""
    sheet.line(np.stack([start, end]), 0.18)
    unit = (end - start) / np.linalg.norm(end - start)
    beside = np.array([-unit[1], unit[0]])
    for tip, inwards in ((start, unit), (end, -unit)):
        base = tip + 2.4 * inwards
        sheet.filled(np.stack([tip, base + 0.4 * beside, base - 0.4 * beside]))


def _draw_mark(sheet: Sheet, reasons: int, top: float) -> None:
    left, right = _COLUMN
    sheet.box(left, top - 10.0, right - left, 12.0, 0.7, "#b00000")
    sheet.text((left + right) / 2.0, top - 2.0, MARK, 15.0, "center", True, "#b00000")
    what = f"{reasons} findings forbid it" if reasons > 1 else "a finding forbids it"
    words = f"{what}: see {MARK.replace(' ', '_')}.txt"
    sheet.text((left + right) / 2.0, top - 7.4, words, 7.0, "center", color="#b00000")


def _draw_title(sheet: Sheet, plan: Plan, design: Design, scale: float, blocked: bool) -> None:
    """The title block in the lower right corner."""
    right, low = SHEET_MM[0] - _BORDER_MM, _BORDER_MM
    width, row = 208.0, 8.0
    left = right - width
    cells = (
        (("CASE", plan.case_code, 0.0, 0.4), ("DESIGN VERSION", plan.design_version, 0.4, 0.6),
         ("SCALE", f"{scale:g}:1" if scale >= 1.0 else f"1:{1.0 / scale:g}", 0.6, 0.72),
         ("UNITS", "mm, °", 0.72, 0.84), ("SHEET", "1 of 1, A3", 0.84, 1.0)),
        (("PART", f"Implant {plan.upper} to {plan.lower}, nominal; files parts/*.stl", 0.0, 0.6),
         ("PROJECTION", "first angle", 0.6, 0.78), ("DESIGN DIGEST", design.digest[:12], 0.78, 1.0)),
        (("MATERIAL", plan.material.name, 0.0, 0.6),
         ("STATUS", MARK if blocked else "no finding forbids manufacture", 0.6, 1.0)),
        (("TOLERANCES UNLESS SAID", "milled: ISO 2768-m (judgement, verify locally); printed: as the printer's own "
          "coupon shows", 0.0, 1.0),),
    )  # fmt: skip
    for level, line in enumerate(reversed(cells)):
        y = low + level * row
        for name, value, start, end in line:
            sheet.box(left + start * width, y, (end - start) * width, row, 0.3)
            sheet.text(left + start * width + 1.2, y + row - 1.9, name, 5.0, color="#444444")
            sheet.text(left + start * width + 1.2, y + 2.7, value, 7.5, bold=name in ("CASE", "STATUS"))
