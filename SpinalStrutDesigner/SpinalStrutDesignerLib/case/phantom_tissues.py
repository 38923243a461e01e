"""The phantom's ribs, vessels, airway, oesophagus, cord and skin, laid out about its spine.

Places are the phantom's own, drawn to look like a neck and an upper chest; none is a measured patient's.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .phantom_shapes import Block, Canvas, Points, column, ellipse, in_frame, smooth_line, smooth_maximum, tube
from .phantom_spine import CERVICAL, Form, foramen

# How far the dura has come forward, and the gullet has fallen back, into what the destroyed bodies have left (mm).
_DURA_FORWARD = {"C5": 0.8, "C6": 2.2, "C7": 2.2, "T1": 0.4}
_GULLET_BACK = {"C5": 3.0, "C6": 5.5, "C7": 6.0, "T1": 3.5}
_GULLET_GAP = 1.7

Pieces = Iterable[tuple[Block, np.ndarray]]


class Layout:
    """Places given by level: sideways to the right, forward of the body's front, and up, in mm."""

    def __init__(self, forms: tuple[Form, ...]) -> None:
        self.forms = {form.level: form for form in forms}
        self.order = tuple(form.level for form in forms)

    def front(self, level: str) -> np.ndarray:
        """RAS mm: the front of a vertebral body at its mid height."""
        form = self.forms[level]
        return form.to_ras((0.0, -form.back, 0.0))

    def place(self, level: str, right: float, forward: float, up: float = 0.0) -> np.ndarray:
        """RAS mm: a place in front of a level's body."""
        return self.front(level) + np.array([right, forward, up])

    def line(self, *stops: tuple[str, float, float, float]) -> np.ndarray:
        """A smooth curve through places (level, right, forward, up)."""
        return smooth_line(np.array([self.place(*stop) for stop in stops]))

    def along(self, points: np.ndarray) -> np.ndarray:
        """A curve through one point a level (bottom to top), drawn on beyond both ends of the spine."""
        first, last = points[0] - points[1], points[-1] - points[-2]
        ends = points[0] + first * (25.0 / abs(first[2])), points[-1] + last * (35.0 / abs(last[2]))
        return smooth_line(np.vstack([ends[0], points, ends[1]]), step=2.0)


def cord_line(layout: Layout) -> np.ndarray:
    """The cord's centreline, (n, 3) RAS mm, from low to high."""
    centres = []
    for level in layout.order:
        form = layout.forms[level]
        centres.append(form.canal_centre + _DURA_FORWARD.get(level, 0.0) * form.rotation[:, 1])
    return layout.along(np.array(centres))


def _by_level(layout: Layout, line: np.ndarray, values: list[float]) -> np.ndarray:
    heights = [layout.forms[level].canal_centre[2] for level in layout.order]
    return np.interp(line[:, 2], heights, values)


def cord(layout: Layout, canvas: Canvas) -> Pieces:
    """The spinal cord, thicker at the neck."""
    line = cord_line(layout)
    wide = [6.2 if level in CERVICAL else 4.4 for level in layout.order]
    deep = [3.6 if level in CERVICAL else 3.3 for level in layout.order]
    yield column(canvas, line, _by_level(layout, line, wide), _by_level(layout, line, deep))


def dural_sac(layout: Layout, canvas: Canvas) -> Pieces:
    """The dural sac with the cord in it."""
    line = cord_line(layout)
    forms = [layout.forms[level] for level in layout.order]
    wide = [min(form.canal[0] - 2.0, 8.8) for form in forms]
    deep = [min(form.canal[1] - 1.2, 6.8) for form in forms]
    yield column(canvas, line, _by_level(layout, line, wide), _by_level(layout, line, deep))


def _gullet_line(layout: Layout, deep: float) -> np.ndarray:
    aside = {"C7": -1.5, "T1": -2.5, "T2": -3.0, "T3": -3.0, "T4": -2.5}
    points = []
    for level in layout.order:
        forward = _GULLET_GAP + deep - _GULLET_BACK.get(level, 0.0)
        points.append(layout.place(level, aside.get(level, 0.0), forward))
    return layout.along(np.array(points))


def oesophagus(layout: Layout, canvas: Canvas) -> Pieces:
    """The gullet, and above C6 the lower pharynx, close in front of the column."""
    deep = 4.0
    line = _gullet_line(layout, deep)
    wide = _by_level(layout, line, [8.0, 8.0, 8.0, 8.0, 8.5, 10.0, 11.0, 11.0, 11.0, 11.0])
    yield column(canvas, line, wide, np.full(len(line), deep))


def _airway_line(layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    wide = [8.5, 8.5, 8.5, 8.5, 8.5, 7.5, 6.0, 9.0, 12.0, 12.0]
    deep = [8.0, 8.0, 8.0, 8.0, 8.0, 8.5, 10.0, 8.0, 6.5, 6.5]
    aside = [2.5, 2.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    points = []
    for n, level in enumerate(layout.order):
        forward = _GULLET_GAP + 8.0 + 1.8 + deep[n] - 0.5 * _GULLET_BACK.get(level, 0.0)
        points.append(layout.place(level, aside[n], forward))
    line = layout.along(np.array(points))
    return line, _by_level(layout, line, wide), _by_level(layout, line, deep)


def airway(layout: Layout, canvas: Canvas) -> Pieces:
    """Trachea, larynx and pharynx: the air in them."""
    yield column(canvas, *_airway_line(layout))


def larynx_cartilage(layout: Layout, canvas: Canvas) -> Pieces:
    """Shield-like thyroid cartilage and the cricoid ring about the airway."""
    line, wide, deep = _airway_line(layout)
    low, high = layout.front("C6")[2] - 8.0, layout.front("C4")[2] - 2.0
    here = (line[:, 2] >= low) & (line[:, 2] <= high)
    block, outer = column(canvas, line[here], wide[here] + 3.6, deep[here] + 3.2)
    if not outer.size:
        return
    x, y, z = canvas.points(block)
    heights = canvas.z[block[0]]
    x0, y0, a, b = (
        np.interp(heights, line[here][:, 2], v)[:, None, None]
        for v in (line[here][:, 0], line[here][:, 1], wide[here], deep[here])
    )
    inner = ellipse(x - x0, y - y0, a + 1.6, b + 1.4)
    # Open behind above the cricoid.
    behind = np.where(z < low + 9.0, -10.0, (y0 - 2.0) - y)
    yield block, np.maximum(np.maximum(outer, -inner), behind)


def _both(line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return line, line * np.array([-1.0, 1.0, 1.0])


def carotids(layout: Layout, canvas: Canvas) -> Pieces:
    """Common, then internal carotid arteries."""
    stops = (("T1", 18.0, 16.0, 4.0), ("C7", 22.0, 11.0, 0.0), ("C6", 25.0, 8.0, 0.0), ("C5", 26.5, 6.0, 0.0),
             ("C4", 27.5, 4.0, 0.0), ("C3", 28.0, 0.0, 0.0), ("C2", 28.0, -5.0, 0.0),
             ("C2", 28.0, -10.0, 30.0))  # fmt: skip
    for line in _both(layout.line(*stops)):
        yield from tube(canvas, line, np.interp(line[:, 2], [line[0, 2], line[-1, 2]], [3.7, 3.1]))


def jugulars(layout: Layout, canvas: Canvas) -> Pieces:
    """Internal jugular veins, lateral to the carotids; the right one is the wider."""
    stops = (("T1", 27.0, 17.0, 2.0), ("C7", 32.0, 11.0, 0.0), ("C5", 36.5, 5.0, 0.0), ("C3", 37.0, -3.0, 0.0),
             ("C2", 36.0, -9.0, 5.0), ("C2", 34.0, -14.0, 30.0))  # fmt: skip
    for line, radius in zip(_both(layout.line(*stops)), (5.6, 4.7)):
        yield from tube(canvas, line, radius)


def vertebral_lines(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Centrelines of the right and left vertebral artery, (n, 3) RAS mm, from low to high."""
    lines = []
    for side in (1.0, -1.0):
        points = [layout.place("T1", side * 26.0, 8.0, -2.0), layout.place("C7", side * 21.0, -1.0, -2.0)]
        for level in ("C6", "C5", "C4", "C3", "C2"):
            x, y, z = foramen(layout.forms[level])
            points.append(layout.forms[level].to_ras((side * x, y, z)))
        points.append(points[-1] + np.array([side * 6.0, -5.0, 22.0]))
        lines.append(smooth_line(np.array(points)))
    return lines[0], lines[1]


def vertebral_arteries(layout: Layout, canvas: Canvas) -> Pieces:
    """Through the transverse foramina of C6 to C2."""
    for line in vertebral_lines(layout):
        yield from tube(canvas, line, 1.9)


def great_vessels(layout: Layout, canvas: Canvas) -> Pieces:
    """Aortic arch with its three branches, subclavian arteries, brachiocephalic veins, superior vena cava."""
    vessels = (
        (10.5, (("T4", 12.0, 46.0, -30.0), ("T4", 8.0, 44.0, -6.0), ("T3", -10.0, 39.0, -10.0),
                ("T3", -22.0, 22.0, -10.0), ("T4", -26.0, 4.0, -4.0), ("T4", -26.0, -3.0, -30.0))),
        (5.0, (("T3", 2.0, 42.0, -4.0), ("T2", 8.0, 36.0, -6.0), ("T1", 15.0, 22.0, -4.0), ("T1", 18.0, 16.0, 4.0))),
        (3.7, (("T3", -10.0, 38.0, -4.0), ("T2", -15.0, 28.0, -4.0), ("T1", -18.0, 18.0, -4.0),
               ("T1", -18.0, 16.0, 4.0))),
        (4.2, (("T3", -19.0, 24.0, -4.0), ("T2", -22.0, 18.0, 2.0), ("T1", -28.0, 9.0, 1.0), ("T1", -45.0, 4.0, 2.0),
               ("T1", -78.0, 2.0, -10.0))),
        (4.2, (("T1", 15.0, 22.0, -4.0), ("T1", 27.0, 10.0, 1.0), ("T1", 45.0, 4.0, 2.0), ("T1", 78.0, 2.0, -10.0))),
        (6.0, (("T1", 27.0, 17.0, 2.0), ("T2", 24.0, 36.0, -2.0), ("T3", 22.0, 45.0, -4.0), ("T4", 24.0, 44.0, -30.0))),
        (5.2, (("T1", -27.0, 17.0, 2.0), ("T2", -22.0, 38.0, 2.0), ("T3", 2.0, 55.0, 3.0), ("T3", 22.0, 46.0, -6.0))),
    )  # fmt: skip
    for radius, stops in vessels:
        yield from tube(canvas, layout.line(*stops), radius)


def ribs(layout: Layout, canvas: Canvas) -> Pieces:
    """Ribs 1 to 4 as far as the field shows them, clavicles, manubrium and hyoid."""
    for level, radius, stops in (
        ("T1", 3.0, ((15.5, -8.0, 5.0), (27.0, -16.0, 5.0), (39.0, -20.0, 6.0), (51.0, -6.0, 8.0), (54.0, 16.0, 6.0),
                     (44.0, 40.0, 2.0), (27.0, 56.0, -4.0))),
        ("T2", 3.1, ((16.0, -8.0, 7.0), (27.0, -18.0, 8.0), (42.0, -29.0, 5.0), (64.0, -18.0, 2.0), (73.0, 8.0, -8.0),
                     (72.0, 30.0, -18.0))),
        ("T3", 3.1, ((16.0, -9.0, 7.0), (26.0, -19.0, 8.0), (42.0, -34.0, 4.0), (66.0, -30.0, -2.0),
                     (82.0, -8.0, -14.0))),
        ("T4", 3.1, ((16.5, -9.0, 7.5), (25.0, -19.0, 8.0), (42.0, -36.0, 4.0), (68.0, -34.0, -4.0),
                     (84.0, -12.0, -16.0))),
    ):  # fmt: skip
        for line in _both(smooth_line(np.array(stops))):
            yield from tube(canvas, layout.forms[level].to_ras(line), radius)
    for line in _both(layout.line(("T3", 15.0, 62.0, 6.0), ("T2", 38.0, 56.0, 4.0), ("T2", 58.0, 40.0, 12.0),
                                  ("T2", 80.0, 28.0, 18.0))):  # fmt: skip
        yield from tube(canvas, line, 4.8)
    yield _manubrium(layout, canvas)
    for line in _both(layout.line(("C3", 0.0, 40.0, -2.0), ("C3", 10.0, 36.0, -1.0), ("C3", 17.0, 20.0, 2.0))):
        yield from tube(canvas, line, 1.9)


def _manubrium(layout: Layout, canvas: Canvas) -> tuple[Block, np.ndarray]:
    centre = layout.place("T3", 0.0, 61.0, -14.0)
    block = canvas.block(centre - 32.0, centre + 32.0)
    x, y, z = in_frame(canvas.points(block), centre, layout.forms["T3"].rotation)
    notch = np.maximum(0.0, 8.0 - np.sqrt(x * x + (z - 26.0) ** 2))
    outline = ellipse(x, z, 24.0 + 0.3 * z, np.float32(21.0), 3.0) + notch
    return block, smooth_maximum(outline, np.abs(y) - 5.0, 3.0)


def lungs(layout: Layout, canvas: Canvas) -> Pieces:
    """Both apices and what the field shows below them."""
    top = layout.forms["T1"].centre[2] - 1.0
    k, j, i = canvas.block((-200.0, -60.0, -200.0), (200.0, 90.0, top))
    x, y, z = canvas.points((k, j, i))
    full = np.sqrt(np.maximum(1.0 - (np.maximum(z - top + 50.0, 0.0) / 50.0) ** 2, 1e-3)).astype(np.float32)
    heights = [layout.front(level)[2] for level in ("T4", "T2", "T1")]
    middle = np.interp(z, heights, [16.0, 20.0, 28.0]).astype(np.float32)
    yield (k, j, i), ellipse(np.abs(x) - (46.0 - 10.0 * (1.0 - full)), y - middle, 30.0 * full, 48.0 * full, 2.5)


def skin(layout: Layout, points: Points) -> np.ndarray:
    """Distance to the skin over the whole grid, mm."""
    z = points[2]
    t4, t2, c7, c5, c3 = (layout.forms[level].centre[2] for level in ("T4", "T2", "C7", "C5", "C3"))
    at = [t4 - 20.0, t2, c7, c5, c3, c3 + 60.0]
    back = np.interp(z, at, [-76.0, -66.0, -46.0, -30.0, -23.0, -23.0])
    front = np.interp(z, at, [94.0, 90.0, 86.0, 92.0, 96.0, 106.0])
    half = np.interp(z, [t2 - 15.0, t2 + 8.0, c7 - 8.0, c7 + 8.0, c5], [170.0, 120.0, 80.0, 64.0, 57.0])
    middle, deep = ((front + back) / 2).astype(np.float32), ((front - back) / 2).astype(np.float32)
    half = half.astype(np.float32)
    reach = np.sqrt((points[0] / half) ** 2 + ((points[1] - middle) / deep) ** 2)
    return (reach - 1.0) * np.minimum(half, deep)
