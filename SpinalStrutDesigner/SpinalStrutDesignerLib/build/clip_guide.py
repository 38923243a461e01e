"""A drill guide that clips into the finished implant's holes, so that hole and drill stay coaxial.

It is used with the implant in its place. Each plug fills its hole's seat, and its bore where a wall is left round the
drill, less the fit gap. A round plug in a round seat would turn in it as a ball does: a saddle over the implant's face
around the holes, and along it towards the strut, holds it upright, and joins the sleeves. All of it slides on along one
straight way.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.combine import smooth_maximum, smooth_union
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.sampled import signed_distance_to
from LatticeGeneratorLib.mesh.mesh import Mesh
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from ..case.model import Endplate
from ..plan.guides import GuidePlan
from ..plan.plan import Screw
from .design import Situation
from .guide_base import GuideShape, cylinder_field, drill_way_field, overshoot, tube_field
from .guide_ground import WAY_MM, Ground, ground_on, least_on_way, swept
from .guide_zones import NEIGHBOUR_MM, Zones
from .outline import polygon_distance
from .sleeves import LEAST_WALL_MM, Sleeve, wall_points
from .thin import without_fins

# Sampling, mm: the tightest faces that are fitted to, seats of 2.5 mm radius, are off by step² / (8 r) = 0.005 mm.
_STEP_MM = 0.3
# Ways in that are tried: tilted from the screws' mean direction, and which way, degrees. Engineering judgement.
_TILTS, _TURNS = (10.0, 20.0), tuple(45.0 * turn for turn in range(8))
_FILLET_MM, _EDGE_MM = 1.5, 1.5
_OVERLAP_MM = 1.0  # of what is joined, so that no film of nothing is left between
# The saddle reaches from the holes so far along the implant towards its strut, mm, and so far below their rims: less
# leaves a guide with one sleeve free to turn about it on round bosses (measured on the cases).
_ALONG_MM, _BELOW_MM = 14.0, 8.0
# What is left of it between bone and keep-outs is at least so thick, or goes, mm: a lip would break. Engineering
# judgement, twice the PA12 wall; never more than this share of the base's thickness.
_STOUT_MM, _STOUT_SHARE = 2.0, 0.8
_UNSEEN_MM = 0.1  # of keep-outs, for their coarser grid
_ROUNDED_MM = 0.4  # over which edges are rounded
_CIRCLE = 24  # corners of the circle round a sleeve in the saddle's outline
_SPARE_MM = 3.0  # of the grid around what is made
# Heights of the rods between sleeves, as shares of their length, in the order in which they are tried.
_HEIGHTS = (0.35, 0.5, 0.65, 0.8)


def clip_shapes(
    situation: Situation, implant: Mesh, sleeves: tuple[Sleeve, ...], plate: Endplate
) -> Iterator[GuideShape]:
    """The sleeves over the implant and what lies around them, for each way in on which no bone meets a sleeve: the
    screws' mean direction first, then the same tilted ever more.

    Raises GeometryError where bone lies in every way.
    """
    guides, found = situation.plan.guides, False
    walls = np.vstack([wall_points(sleeve) for sleeve in sleeves])
    for matrix in _frames(sleeves):
        if least_on_way(situation, walls, matrix[:3, 2]) <= guides.fit_gap_mm + NEIGHBOUR_MM:
            continue
        found = True
        ground = _ground(situation, implant, matrix, sleeves, plate)
        seats = ground.local([s.entry for s in sleeves])
        axes = -ground.turned(np.array([s.direction for s in sleeves]))
        none = np.zeros((0, 3))
        yield GuideShape(ground, Zones(seats, axes, none, none), sleeves, guides)
    if not found:
        raise GeometryError(
            f"bone lies in the way of the sleeves over the implant's holes ({_spoken(sleeves)}), on every way in "
            f"within {_TILTS[-1]:g}° of them: shorten guides.sleeve_length_mm, or turn a screw"
        )


def check_seats(sleeves: tuple[Sleeve, ...], screws: tuple[Screw, ...], guides: GuidePlan) -> None:
    """Raises GeometryError where a screw's seat is too narrow for a plug round its sleeve's bore."""
    for sleeve, screw in zip(sleeves, screws):
        if screw.type.seat_radius_mm - guides.fit_gap_mm - 0.5 * sleeve.bore_mm < LEAST_WALL_MM:
            raise GeometryError(
                f"the seat of screw {sleeve.screw}, {2.0 * screw.type.seat_radius_mm:g} mm wide, leaves no wall of "
                f"{LEAST_WALL_MM:g} mm round the bore of {sleeve.bore_mm:g} mm: give a thinner "
                'guides.insert_diameter_mm or none, or set guides.drill to "bone"'
            )


def clip_body(shape: GuideShape, screws: tuple[Screw, ...], plate: Endplate) -> np.ndarray:
    """The guide's body [k, j, i] mm on the ground's grid, negative inside. screws: those of its sleeves; plate: the one
    that the implant's end docks on.

    Raises GeometryError where a sleeve would lie in the implant, in bone or in a keep-out, or sleeves cannot be joined
    clear of those.
    """
    ground = shape.ground
    for sleeve in shape.sleeves:
        _check_clear(shape, sleeve)
    points = ground.grid.points()
    limits = _limits(shape, points)
    body = _stout(shape, np.maximum(_saddle(shape, plate, points), limits))
    for sleeve in shape.sleeves:
        body = smooth_union(body, tube_field(ground, sleeve, points), _FILLET_MM)
    for sleeve, screw in zip(shape.sleeves, screws):
        body = np.minimum(body, _plug(shape, sleeve, screw, points))
    values = _fitted(shape, body, limits)
    if not _joined(shape, values):
        radius = 0.5 * shape.guides.base_thickness_mm
        for one, other in zip(shape.sleeves, shape.sleeves[1:]):
            a, b = _bridge(shape, one, other, radius)
            body = smooth_union(body, _rod(points, a, b, radius), _FILLET_MM)
        values = _fitted(shape, body, limits)
    if not _joined(shape, values):
        raise _unjoined(shape.sleeves)
    return values


def _frames(sleeves: tuple[Sleeve, ...]) -> Iterator[np.ndarray]:
    """4x4 each, a guide's frame to RAS: its third axis is the screws' mean direction, outwards, or tilted from it."""
    mean = np.mean([sleeve.direction for sleeve in sleeves], axis=0)
    outward = -mean / np.linalg.norm(mean)
    across = np.cross(np.eye(3)[int(np.argmin(np.abs(outward)))], outward)
    across /= np.linalg.norm(across)
    frame = np.eye(4)
    frame[:3, :3] = np.stack([across, np.cross(outward, across), outward], axis=1)
    frame[:3, 3] = np.mean([sleeve.entry for sleeve in sleeves], axis=0)
    yield frame
    for tilt in np.deg2rad(_TILTS):
        for turn in np.deg2rad(_TURNS):
            about = np.cos(turn) * frame[:3, 0] + np.sin(turn) * frame[:3, 1]
            tilted = frame.copy()
            tilted[:3, :3] = Rotation.from_rotvec(tilt * about).as_matrix() @ frame[:3, :3]
            yield tilted


def _ground(
    situation: Situation, implant: Mesh, matrix: np.ndarray, sleeves: tuple[Sleeve, ...], plate: Endplate
) -> Ground:
    """The implant around its holes, alone and swept along the way in, and what else lies there."""
    guides = situation.plan.guides
    widest = 0.5 * max(s.outer_mm for s in sleeves) + guides.zone_diameter_mm
    local = (_places(sleeves, plate) - matrix[:3, 3]) @ matrix[:3, :3]
    around = widest + _SPARE_MM
    grid = Grid.around(local.min(axis=0) - around, local.max(axis=0) + around, _STEP_MM)
    farther = round(WAY_MM / _STEP_MM)
    long = grid.part((0, 0, 0), (*grid.shape[:2], grid.shape[2] + farther))
    far = guides.fit_gap_mm + guides.base_thickness_mm + _SPARE_MM
    bare = signed_distance_to(implant.transformed(np.linalg.inv(matrix)), long, far).values.astype(float)
    count = grid.shape[2]
    return ground_on(situation, matrix, grid, bare[:count], swept(bare, farther)[:count], ())


def _places(sleeves: tuple[Sleeve, ...], plate: Endplate) -> np.ndarray:
    """(n, 3) RAS: what a guide lies around."""
    feet = np.array([s.foot for s in sleeves])
    return np.concatenate([feet, feet + _ALONG_MM * plate.normal, [s.top for s in sleeves]])


def _saddle(shape: GuideShape, plate: Endplate, points: np.ndarray) -> np.ndarray:
    """A shell over the implant's face at the fit gap, around and between the sleeves' feet and on towards the strut."""
    ground, guides = shape.ground, shape.guides
    feet = ground.local([s.foot for s in shape.sleeves])
    along = _ALONG_MM * ground.turned(plate.normal)[0]
    turns = 2.0 * np.pi * np.arange(_CIRCLE) / _CIRCLE
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    rounds = [
        place[:2] + (0.5 * sleeve.outer_mm + guides.zone_diameter_mm) * circle
        for foot, sleeve in zip(feet, shape.sleeves)
        for place in (foot, foot + along)
    ]
    corners = np.vstack(rounds)
    outline = corners[ConvexHull(corners).vertices]
    plane = polygon_distance(outline, points[: int(np.prod(ground.grid.shape[:2])), :2])
    beside = np.maximum(np.tile(plane, ground.grid.shape[2]), feet[:, 2].min() - _BELOW_MM - points[:, 2])
    # Where the implant recedes under its edge the shell ends: it does not hang down past it.
    top = guides.fit_gap_mm + guides.base_thickness_mm
    shell = np.maximum(ground.bare.ravel() - top, guides.fit_gap_mm - ground.carrier.ravel())
    return smooth_maximum(beside, shell, _EDGE_MM)


def _stout(shape: GuideShape, values: np.ndarray) -> np.ndarray:
    """(n,) the field of what is left of the saddle where a ball as wide as its least thickness fits."""
    radius = 0.5 * min(_STOUT_MM, _STOUT_SHARE * shape.guides.base_thickness_mm)
    solid = values.reshape(shape.ground.grid.array_shape) < 0.0
    depth = ndimage.distance_transform_edt(np.pad(solid, 1), sampling=_STEP_MM)[1:-1, 1:-1, 1:-1]
    core = depth >= radius
    if not core.any():
        return np.full(len(values), _SPARE_MM)
    away = ndimage.distance_transform_edt(~core, sampling=_STEP_MM)
    return np.maximum(values, away.ravel() - radius - _STEP_MM)


def _limits(shape: GuideShape, points: np.ndarray) -> np.ndarray:
    """What the guide stays out of: the implant, bone and keep-outs, and where drills and what follows them are."""
    ground, gap = shape.ground, shape.guides.fit_gap_mm
    metal = gap - ground.carrier.ravel() + overshoot(ground.carrier).ravel()
    limits = np.maximum(metal, gap + NEIGHBOUR_MM - ground.others.ravel())
    limits = np.maximum(limits, _UNSEEN_MM - ground.free.ravel())
    for sleeve in shape.sleeves:
        way, past = drill_way_field(ground, sleeve, points), 2.0 * shape.guides.sleeve_length_mm
        bore = cylinder_field(ground, sleeve, points, -past, sleeve.length_mm + past, 0.5 * sleeve.bore_mm)
        limits = np.maximum(limits, -np.minimum(way, bore))
    return limits


def _fitted(shape: GuideShape, body: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """[k, j, i] the body within its limits, edges rounded, without what is too thin to print."""
    size = shape.ground.grid.array_shape
    opened = without_fins(np.maximum(body, limits).reshape(size), _STEP_MM)
    round_ = ndimage.gaussian_filter(opened, _ROUNDED_MM / _STEP_MM, mode="nearest")
    return without_fins(np.maximum(round_, limits.reshape(size)), _STEP_MM)


def _plug(shape: GuideShape, sleeve: Sleeve, screw: Screw, points: np.ndarray) -> np.ndarray:
    """What fills the hole less the fit gap: the way to the head, its seat, and its bore where a wall is left."""
    ground, gap, kind = shape.ground, shape.guides.fit_gap_mm, screw.type
    radius = kind.seat_radius_mm - gap
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


def _check_clear(shape: GuideShape, sleeve: Sleeve) -> None:
    """Raise where the outer half of a sleeve would lie in something, at its place or on its way in."""
    ground, gap = shape.ground, shape.guides.fit_gap_mm
    wall = ground.local(wall_points(sleeve))
    met = {
        "the implant": float(ground.at(ground.carrier, wall).min()) - gap,
        "bone": float(ground.at(ground.others, wall).min()) - gap - NEIGHBOUR_MM,
        "what it must keep off": float(ground.at(ground.free, wall).min()) - _UNSEEN_MM,
    }
    what = min(met, key=lambda one: met[one])
    if met[what] < 0.0:
        remedy = "shorten guides.sleeve_length_mm, turn the screw"
        if what == "what it must keep off":
            remedy += ", or hold the structure aside (insertion.retractions)"
        raise GeometryError(
            f"the sleeve over the implant's hole of screw {sleeve.screw} would come {-met[what]:.1f} mm too near to "
            f"{what}: {remedy}"
        )


def _unjoined(sleeves: tuple[Sleeve, ...]) -> GeometryError:
    return GeometryError(
        f"the sleeves over the implant's holes ({_spoken(sleeves)}) cannot be joined without touching the implant, "
        "bone or a keep-out: lengthen guides.sleeve_length_mm, or make guides.base_thickness_mm smaller"
    )


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
    raise _unjoined((one, other))


def _rod(points: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    along = b - a
    share = np.clip((points - a) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - a - share[:, None] * along, axis=1) - radius)


def _joined(shape: GuideShape, values: np.ndarray) -> bool:
    """Whether no sleeve is cut, and all hang together."""
    ground, piece, numbers = shape.ground, ndimage.label(values < 0.0)[0], set[int]()
    for sleeve in shape.sleeves:
        i, j, k = np.rint(ground.grid.indices(ground.local(wall_points(sleeve)))).astype(int).T
        numbers |= set(piece[k, j, i].tolist())
    return len(numbers) == 1 and 0 not in numbers


def _spoken(sleeves: tuple[Sleeve, ...]) -> str:
    return f"screws {', '.join(str(s.screw) for s in sleeves)}" if len(sleeves) > 1 else f"screw {sleeves[0].screw}"
