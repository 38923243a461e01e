"""The end of a vertebral body, rim to rim: which columns of bone belong to it, and the plane through them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .frame import Frame, unit
from .height_map import Distance, HeightMap, height_map

RIM_DEPTH = 1.5
"""mm below the plane to which the rim reaches."""
PROUD = 3.5
"""mm above the plane to which a rim or spur still belongs to the plate."""
PROUD_BESIDE_UNCINATES = 2.0
"""mm, at superior plates of C3 to T2: what stands higher is an uncinate process or a rib facet."""
EDGE = 1.0
"""mm along the rim left out of the plane's fit: there the cortex turns down the side of the body."""
SPUR = 0.25
"""Radius of the opening that cuts off spurs, the posterolateral corners that carry rib facets, and the necks towards
pedicles and uncinates, as a part of the body's inscribed circle (2 to 4.5 mm)."""
CLOSED = 2.0
"""mm, radius of the closing over depressions that are deeper than RIM_DEPTH."""
PADDING = 8
"""Columns around the map, more than the closing's radius."""
ASYMMETRY = 2.5
"""mm by which a plate may reach farther to one side of the midplane than to the other; beyond lie spurs."""
HUBER, HUBER_ROUNDS = 0.7, 6
"""mm beyond which a column counts less; plates are concave by 0.2 to 0.9 mm rms (measured on the test cases)."""
LOWEST, HIGHEST = -6.0, 8.0
"""mm about the plane between which the surface is sought."""
REFITS = 2
"""Rounds in which footprint and plane follow each other under another convention."""


@dataclass(frozen=True)
class Convention:
    """What counts as the plate, in mm: see RIM_DEPTH, EDGE and HUBER; proud: more than what the bounds say."""

    rim: float = RIM_DEPTH
    edge: float = EDGE
    huber: float = HUBER
    proud: float = 0.0


STANDARD = Convention()


@dataclass(frozen=True, eq=False)
class Bounds:
    """What ends a plate besides its rim. wall, up: (3,) a point of the canal's front in the midplane, and the canal's
    direction; proud: mm, see PROUD; half_width: mm to either side of the midplane."""

    wall: np.ndarray
    up: np.ndarray
    proud: float
    half_width: float = np.inf


@dataclass(frozen=True, eq=False)
class Footprint:
    """map: heights over the plate's own plane (origin is its centroid); inside: (nv, nu) bool, the plate's columns.

    rms: mm, of the surface about the plane; bounds, seed: what it was sought within, and mm, the circle in its middle.
    """

    map: HeightMap
    inside: np.ndarray
    rms: float
    bounds: Bounds
    seed: float

    @property
    def frame(self) -> Frame:
        """Origin at the centroid, out along the outward normal."""
        return self.map.frame

    @property
    def width(self) -> float:
        """mm from side to side."""
        across = self.map.right[self.inside.any(axis=0)]
        return float(np.ptp(across)) + self.map.cell / 2

    @property
    def depth(self) -> float:
        """mm from front to back."""
        along = self.map.anterior[self.inside.any(axis=1)]
        return float(np.ptp(along)) + self.map.cell / 2

    @property
    def area(self) -> float:
        """mm²."""
        return float(self.inside.sum()) * self.map.cell**2


def rough_plane(distance: Distance, start: Frame, radius: float) -> Frame:
    """A plane through the outermost surface above the middle of the body.

    start: at the body's middle, out towards the plate; radius: mm, a circle safely inside the body. Raises CaseError
    where no bone or no plate lies there.
    """
    found = height_map(distance, start, 0.8 * radius, -10.0, 30.0, cell=1.0)
    points = found.columns().reshape(-1, 3)
    points = points[np.isfinite(points[:, 2]) & (np.hypot(points[:, 0], points[:, 1]) < 0.8 * radius)]
    if len(points) < 12:
        raise CaseError("no bone stands there")
    keep = np.abs(points[:, 2] - np.median(points[:, 2])) < 4.0
    for tolerance in (3.0, 2.0, 1.5):
        if keep.sum() < 12:
            raise CaseError("the bone there is no plate")
        coefficients, _ = _plane(points[keep])
        keep = np.abs(points[:, 2] - points[:, :2] @ coefficients[:2] - coefficients[2]) < tolerance
    normal = unit(start.out - coefficients[0] * start.right - coefficients[1] * start.anterior)
    return Frame.along(start.to_ras(np.array([0.0, 0.0, coefficients[2]])), normal, start.anterior)


def fit_footprint(distance: Distance, plane: Frame, radius: float, bounds: Bounds) -> Footprint:
    """The end of the body near a plane: footprint and least-squares plane, iterated until they agree.

    plane: a first guess; radius: mm, a circle safely inside the body. Raises CaseError where there is no plate.
    """
    reach = 1.6 * radius + 7.0
    # A tight limit first: from there an uncinate process that rises smoothly does not capture the plane.
    tight = replace(bounds, proud=bounds.proud - 1.0)
    for cell, rounds, limit in ((1.0, 12, tight), (0.5, 10, bounds)):
        for round_ in range(rounds):
            found = height_map(distance, plane, reach, LOWEST, HIGHEST, cell)
            inside = _columns_of_plate(found, limit, radius)
            moved, rms = _fitted(found, inside)
            turned = np.degrees(np.arccos(np.clip(plane.out @ moved.out, -1.0, 1.0)))
            shifted = np.abs(plane.to_local(moved.origin)).max()
            # Plane and footprint can chase each other by a column or two: the later rounds go half the way.
            plane = moved if round_ < rounds // 2 else _between(plane, moved)
            if turned < 0.05 and shifted < 0.05:
                break
    found = height_map(distance, plane, reach, LOWEST, HIGHEST)
    return Footprint(found, _columns_of_plate(found, bounds, radius), rms, bounds, radius)


def refitted(plate: Footprint, convention: Convention) -> Footprint:
    """The plate under another convention, on the surface that its map holds.

    A tilt is taken off the heights, which for the few degrees in question is as good as a new map and much faster.
    Raises CaseError where no plate is left.
    """
    bounds = replace(plate.bounds, proud=plate.bounds.proud + convention.proud)
    level = plate.map
    right, anterior = plate.map.right, plate.map.anterior[:, None]
    for _ in range(REFITS):
        inside = _columns_of_plate(level, bounds, plate.seed, convention)
        (a, b, c), rms = _plane_of(replace(level, heights=plate.map.heights), inside, convention)
        level = replace(level, heights=plate.map.heights - (a * right + b * anterior + c))
    frame = _moved(plate.map, inside, np.array([a, b, c]))
    return Footprint(replace(level, frame=frame), inside, rms, bounds, plate.seed)


def _columns_of_plate(found: HeightMap, bounds: Bounds, seed: float, convention: Convention = STANDARD) -> np.ndarray:
    """(nv, nu) bool: the patch of columns about the middle that lie near the plane, in front of the canal."""
    heights = found.heights
    v, u = np.meshgrid(found.anterior, found.right, indexing="ij")
    middle, back = _where_met(found.frame, bounds.wall, bounds.up)
    # Where the canal's direction is poorly known (C2), the foot of the perpendicular is the safer of the two.
    back = min(back, found.frame.to_local(bounds.wall)[1])
    near = (heights >= -convention.rim) & (heights <= bounds.proud) & (v >= back)
    # A depression belongs to the plate, also where it all but reaches the rim: closed before spurs are cut off.
    closed = ndimage.binary_closing(np.pad(near, PADDING), _disc(CLOSED, found.cell))
    filled = ndimage.binary_fill_holes(closed)[PADDING:-PADDING, PADDING:-PADDING]
    near = filled & (heights >= LOWEST) & (heights <= bounds.proud) & (v >= back)
    near = ndimage.binary_opening(near, _disc(SPUR * seed, found.cell))
    patch = _central_patch(near, np.hypot(u, v) < seed)
    aside = u - middle
    widest = min(aside[patch].max() + ASYMMETRY, -aside[patch].min() + ASYMMETRY, bounds.half_width)
    return ndimage.binary_fill_holes(_central_patch(patch & (np.abs(aside) <= widest), np.hypot(u, v) < seed))


def _where_met(frame: Frame, point: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """(right, anterior) where the line through point along direction meets the frame's plane."""
    from_plane, along = frame.to_local(point), frame.rows @ direction
    return (from_plane - along * (from_plane[2] / along[2]))[:2]


def _central_patch(near: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """The connected patch of near that has most of its cells in the middle (both (nv, nu) bool)."""
    labels, count = ndimage.label(near)
    central = np.bincount(labels[middle], minlength=count + 1)
    central[0] = 0
    if central.max() == 0:
        raise CaseError("no plate lies over the body's middle")
    return labels == central.argmax()


def _fitted(found: HeightMap, inside: np.ndarray) -> tuple[Frame, float]:
    """The least-squares plane of a footprint, its origin at the centroid, and the rms in mm."""
    coefficients, rms = _plane_of(found, inside, STANDARD)
    return _moved(found, inside, coefficients), rms


def _moved(found: HeightMap, inside: np.ndarray, coefficients: np.ndarray) -> Frame:
    """The map's frame moved onto a plane (a, b, c) over it, to the footprint's centroid."""
    a, b, c = coefficients
    u, v = found.columns()[inside][:, :2].mean(axis=0)
    frame = found.frame
    normal = unit(frame.out - a * frame.right - b * frame.anterior)
    return Frame.along(frame.to_ras(np.array([u, v, a * u + b * v + c])), normal, frame.anterior)


def _plane_of(found: HeightMap, inside: np.ndarray, convention: Convention) -> tuple[np.ndarray, float]:
    """The coefficients of a footprint's plane, and the rms in mm. The rounding of the rim's edge is left out."""
    kept = ndimage.binary_erosion(inside, _disc(convention.edge, found.cell)) & np.isfinite(found.heights)
    if kept.sum() < 12:
        raise CaseError("the bone there is no plate")
    return _plane(found.columns()[kept], convention.huber)


def _disc(radius: float, cell: float) -> np.ndarray:
    reach = int(radius / cell)
    ticks = np.arange(-reach, reach + 1) * cell
    return np.hypot(*np.meshgrid(ticks, ticks)) <= radius + 1e-9


def _plane(points: np.ndarray, huber: float = HUBER) -> tuple[np.ndarray, float]:
    """The plane h = a u + b v + c through points: (n, 3); the coefficients (a, b, c) and the rms in mm.

    Least squares with Huber's weights (Huber, Ann Math Stat 1964;35:73), so that the foot of an uncinate process or a
    spur does not tilt the plane.
    """
    system = np.column_stack([points[:, :2], np.ones(len(points))])
    weights = np.ones(len(points))
    for _ in range(HUBER_ROUNDS):
        coefficients, *_ = np.linalg.lstsq(system * weights[:, None], points[:, 2] * weights, rcond=None)
        residuals = np.abs(system @ coefficients - points[:, 2])
        weights = np.sqrt(huber / np.maximum(residuals, huber))
    return coefficients, float(np.sqrt(np.mean(residuals**2)))


def _between(one: Frame, other: Frame) -> Frame:
    """Half way, where plane and footprint chase each other."""
    return Frame.along((one.origin + other.origin) / 2, one.out + other.out, one.anterior)
