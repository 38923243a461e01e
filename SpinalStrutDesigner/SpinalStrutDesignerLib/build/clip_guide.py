"""A drill guide that clips into the finished implant's holes, so that hole and drill stay coaxial.

It is used with the implant in its place; each plug fills its hole's seat, and its bore where a wall is left round the
drill, less the fit gap, and the sleeves are joined by rods.
"""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.combine import smooth_union
from LatticeGeneratorLib.field.distance import signed_distance
from LatticeGeneratorLib.mesh.mesh import Mesh
from scipy import ndimage

from ..plan.plan import Screw
from .design import End, Situation
from .guide_base import GuideShape, cylinder_field, drill_way_field, finished_mesh, tube_field
from .guide_ground import STEP_MM, ground_on, guide_grid, swept
from .guide_zones import NEIGHBOUR_MM, Zones
from .sleeves import LEAST_WALL_MM, Sleeve, check_apart, sleeve_on_implant, wall_points

# So far along the way in undercuts of the implant and of bone are taken off, mm: deeper than any head is recessed. A
# guide with no shell over bone may be tilted in before.
_WAY_MM = 15.0
_BAND_MM = 6.0  # distances to the implant beyond are alike
_FILLET_MM = 1.5
_OVERLAP_MM = 1.0  # of what is joined, so that no film of nothing is left between
# Heights of the rods between sleeves, as shares of their length, in the order in which they are tried.
_HEIGHTS = (0.35, 0.5, 0.65, 0.8)


def clip_shape(situation: Situation, implant: Mesh, end: End, numbers: tuple[int, ...]) -> GuideShape:
    """The sleeves of an end's screws over the implant, and what lies around them.

    Raises GeometryError where sleeves collide.
    """
    plate, guides = (situation.upper if end == "upper" else situation.lower), situation.plan.guides
    screws = situation.plan.screws
    sleeves = tuple(sleeve_on_implant(n, screws[n - 1], guides) for n in numbers)
    check_apart(sleeves)
    matrix = _frame(sleeves)
    grid = guide_grid(matrix, plate, sleeves)
    farther = round(_WAY_MM / STEP_MM)
    long = grid.part((0, 0, 0), (*grid.shape[:2], grid.shape[2] + farther))
    bare = signed_distance(implant.transformed(np.linalg.inv(matrix)), long, _BAND_MM).astype(float)
    count = grid.shape[2]
    ground = ground_on(situation, matrix, grid, bare[:count], swept(bare, farther)[:count], (), _WAY_MM)
    seats, axes = ground.local([s.entry for s in sleeves]), -ground.turned(np.array([s.direction for s in sleeves]))
    none = np.zeros((0, 3))
    return GuideShape(ground, Zones(seats, axes, none, none), sleeves, guides)


def clip_mesh(shape: GuideShape, screws: tuple[Screw, ...]) -> Mesh:
    """The guide as one closed body. screws: those of its sleeves.

    Raises GeometryError where a seat is too narrow for a plug, or sleeves cannot be joined clear of the implant, bone
    and keep-outs.
    """
    ground, gap = shape.ground, shape.guides.fit_gap_mm
    points = ground.grid.points()
    limits = np.maximum(gap - ground.carrier.ravel(), gap + NEIGHBOUR_MM - ground.others.ravel())
    limits = np.maximum(limits, -ground.free.ravel())
    for sleeve in shape.sleeves:
        limits = np.maximum(limits, -drill_way_field(ground, sleeve, points))
    body = np.full(len(points), np.inf)
    for sleeve, screw in zip(shape.sleeves, screws):
        body = np.minimum(body, np.minimum(tube_field(ground, sleeve, points), _plug(shape, sleeve, screw, points)))
    radius = 0.5 * shape.guides.base_thickness_mm
    for one, other in zip(shape.sleeves, shape.sleeves[1:]):
        a, b = _bridge(shape, one, other, radius)
        body = smooth_union(body, _rod(points, a, b, radius), _FILLET_MM)
    values = np.maximum(body, limits).reshape(ground.grid.array_shape)
    _check_joined(shape, values)
    return finished_mesh(values, shape)


def _frame(sleeves: tuple[Sleeve, ...]) -> np.ndarray:
    """4x4 of a guide's frame whose third axis is the screws' mean direction, outwards."""
    mean = np.mean([sleeve.direction for sleeve in sleeves], axis=0)
    outward = -mean / np.linalg.norm(mean)
    across = np.cross(np.eye(3)[int(np.argmin(np.abs(outward)))], outward)
    frame = np.eye(4)
    frame[:3, 0] = across / np.linalg.norm(across)
    frame[:3, 1], frame[:3, 2] = np.cross(outward, frame[:3, 0]), outward
    frame[:3, 3] = np.mean([sleeve.entry for sleeve in sleeves], axis=0)
    return frame


def _plug(shape: GuideShape, sleeve: Sleeve, screw: Screw, points: np.ndarray) -> np.ndarray:
    """What fills the hole less the fit gap: the way to the head, its seat, and its bore where a wall is left."""
    ground, gap, kind = shape.ground, shape.guides.fit_gap_mm, screw.type
    radius = kind.seat_radius_mm - gap
    if radius - 0.5 * sleeve.bore_mm < LEAST_WALL_MM:
        raise GeometryError(
            f"the seat of screw {sleeve.screw}, {2.0 * kind.seat_radius_mm:g} mm wide, leaves no wall of "
            f"{LEAST_WALL_MM:g} mm round the bore of {sleeve.bore_mm:g} mm: give a thinner guides.insert_diameter_mm "
            'or none, or set guides.drill to "bone"'
        )
    way = cylinder_field(ground, sleeve, points, 0.0, sleeve.length_mm, radius)
    middle = ground.local([sleeve.entry])[0]
    away = np.linalg.norm(points - middle, axis=1)
    inward = (points - middle) @ ground.turned(np.array(sleeve.direction))[0]
    seat = away - radius
    if kind.seat == "conical":
        half = np.deg2rad(0.5 * kind.seat_angle_deg)
        beside = np.sqrt(np.maximum(away**2 - inward**2, 0.0))
        seat = np.maximum(seat, (beside - kind.seat_radius_mm) * np.cos(half) + inward * np.sin(half) + gap)
    plug = np.minimum(way, np.maximum(seat, -inward - _OVERLAP_MM))
    nose = 0.5 * kind.clearance_hole_mm - gap
    if nose - 0.5 * sleeve.bore_mm >= LEAST_WALL_MM:
        plug = np.minimum(plug, cylinder_field(ground, sleeve, points, -(kind.seat_radius_mm + 1.0), _OVERLAP_MM, nose))
    return plug


def _bridge(shape: GuideShape, one: Sleeve, other: Sleeve, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Both ends, in the guide's frame, of a rod from sleeve to sleeve that keeps off implant, bone and keep-outs."""
    ground = shape.ground
    for share in _HEIGHTS:
        a, b = (ground.local([s.foot])[0] for s in (one, other))
        a, b = (
            place - share * s.length_mm * ground.turned(np.array(s.direction))[0] for place, s in ((a, one), (b, other))
        )
        way = np.linspace(a, b, 60)
        off = np.minimum(ground.at(ground.carrier, way), ground.at(ground.others, way) - NEIGHBOUR_MM)
        if min(float(off.min()) - shape.guides.fit_gap_mm, float(ground.at(ground.free, way).min())) >= radius:
            return a, b
    raise GeometryError(
        f"the sleeves of screws {one.screw} and {other.screw} cannot be joined without touching the implant, bone or a "
        "keep-out: lengthen guides.sleeve_length_mm, or make guides.base_thickness_mm smaller"
    )


def _rod(points: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    along = b - a
    share = np.clip((points - a) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - a - share[:, None] * along, axis=1) - radius)


def _check_joined(shape: GuideShape, values: np.ndarray) -> None:
    """Raise where a sleeve is cut, or not joined to the others."""
    ground, piece, numbers = shape.ground, ndimage.label(values < 0.0)[0], set[int]()
    for sleeve in shape.sleeves:
        i, j, k = np.rint(ground.grid.indices(ground.local(wall_points(sleeve)))).astype(int).T
        numbers |= set(piece[k, j, i].tolist())
    if len(numbers) != 1 or 0 in numbers:
        raise GeometryError(
            f"a sleeve over the implant's holes (screws {', '.join(str(s.screw) for s in shape.sleeves)}) would cross "
            "implant, bone or a keep-out: shorten guides.sleeve_length_mm, turn a screw, or hold the structure aside "
            "(insertion.retractions)"
        )
