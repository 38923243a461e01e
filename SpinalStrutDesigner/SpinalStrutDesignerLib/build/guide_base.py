"""A drill guide's body: a shell over bone that rests on its zones alone, with sleeves on it, as one field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.combine import smooth_maximum, smooth_union
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.boolean import Solid, largest_component, printable, simplified
from LatticeGeneratorLib.mesh.check import components
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import cylinder
from LatticeGeneratorLib.mesh.untangle import untangled
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from ..plan.guides import GuidePlan
from .guide_ground import Ground
from .guide_zones import NEIGHBOUR_MM, RELIEF_MM, STEP_IN_MM, STEP_OUT_MM, Zones, off_axis
from .outline import polygon_distance
from .sleeves import DRILL_WAY_MM, Sleeve, wall_points
from .thin import without_fins

# Of the fillets between sleeves and base, mm; engineering judgement.
_FILLET_MM = 2.0
# Of the base's outline, mm: half its usual thickness, so that it ends round.
_EDGE_MM = 1.5
# The base reaches so far past the rims of zones and sleeves, mm: the PA12 wall.
_PAST_MM = 1.0
# Behind the zones' middles nothing of the base is needed but this, mm.
_BEHIND_MM = 1.5
# The mesh may leave the field's surface by this much when flat regions are thinned, mm: a tenth of the fit gap.
_SIMPLIFY_MM = 0.02
# Slivers at joints are thinned out within this, where rounding folds them, and longer edges cut, mm.
_SLIVER_MM, _LONGEST_MM = 1e-3, 20.0
# A bore is cut so far past its sleeve's ends, mm: through the base over bone, and clear of it.
_PAST_BORE_MM = 8.0
# Edges are rounded over so many steps of the grid: 0.4 mm.
_ROUNDED_STEPS = 0.8
_MOST_PARTED = 3  # times that zones which cannot be joined are left out
# Of an edge as sharp as bone's voxels tell (radius 0.5 mm) at the fit gap, mm.
_MOST_OVERSHOOT_MM = 0.1
# A pad stays within the base's border by this, mm.
_WITHIN_MM = 0.5
# A pad is so much wider before its edges are rounded, mm, and then cut to the zone: it touches on all of it.
_SPARE_RIM_MM = 0.4
_PLATE_TURNS = 24  # corners of the circle round a zone or sleeve in the base's outline


@dataclass(frozen=True, eq=False)
class Grip:
    """A handle along a guide's way in. solids: closed bodies in RAS that overlap each other and the guide's body; foot:
    (3,) RAS, where it stands on the guide's base, and the radius, mm, that it covers there: 0 where it hangs on a
    sleeve."""

    solids: tuple[Mesh, ...]
    foot: np.ndarray
    foot_radius_mm: float


@dataclass(frozen=True, eq=False)
class GuideShape:
    """What a guide's body is made from. holes: (start, end, radius mm) in RAS, windows."""

    ground: Ground
    zones: Zones
    sleeves: tuple[Sleeve, ...]
    guides: GuidePlan
    grip: Grip | None = None
    holes: tuple[tuple[np.ndarray, np.ndarray, float], ...] = ()


def joined_guide(shape: GuideShape) -> tuple[GuideShape, np.ndarray]:
    """The shape less those zones that keep-outs or bone part from the rest, and its body [k, j, i] mm.

    Raises GeometryError where they part sleeves, or leave fewer than three zones with a hook.
    """
    for _ in range(_MOST_PARTED):
        values = guide_field(shape)
        joined = _joined_zones(shape, values)
        if joined.all():
            return shape, values
        zones = shape.zones.only(joined)
        if len(zones.points) < 3 or len(zones.hooks) == 0 or len(zones.faces) < 2:
            break
        shape = replace(shape, zones=zones)
    raise GeometryError(
        "the guide's sleeves and zones cannot be joined without crossing a keep-out or bone in its way: make "
        'guides.zone_diameter_mm or base_thickness_mm smaller, or set guides.drill to "implant"'
    )


def finished_mesh(values: np.ndarray, shape: GuideShape) -> Mesh:
    """The largest piece of a field [k, j, i] on the ground's grid as one closed body in RAS, with its grip, drilled."""
    mesh = simplified(largest_component(isosurface(values, shape.ground.grid))[0], _SIMPLIFY_MM)
    solid = Solid.of(mesh.transformed(shape.ground.matrix))
    solid = solid.less([cylinder(*hole) for hole in shape.holes]).joined(shape.grip.solids if shape.grip else [])
    solid = solid.less([bore(sleeve) for sleeve in shape.sleeves])
    body, _ = largest_component(solid.mesh())
    made, crossing = untangled(printable(body))
    if crossing:
        thinned = Solid.of(body).thinned(_SLIVER_MM, _LONGEST_MM)
        made, _ = untangled(printable(largest_component(thinned)[0]))
    # A closed void, such as slivers leave where a window grazes a wall, would hold powder: it is filled.
    return max(components(made), key=lambda piece: piece.volume)


def bore(sleeve: Sleeve) -> Mesh:
    """The closed cylinder that leads a sleeve's drill, past both its ends."""
    along = np.asarray(sleeve.direction)
    end = np.asarray(sleeve.foot) + _PAST_BORE_MM * along
    return cylinder(sleeve.outside(_PAST_BORE_MM), end, 0.5 * sleeve.bore_mm)


def guide_field(shape: GuideShape) -> np.ndarray:
    """[k, j, i] mm on the ground's grid, negative inside, before bores are cut."""
    ground, guides = shape.ground, shape.guides
    carrier, others = ground.carrier.ravel(), ground.others.ravel()
    points = ground.grid.points()
    off, away = guides.fit_gap_mm + RELIEF_MM, guides.fit_gap_mm + NEIGHBOUR_MM
    base, beside = _base(shape, points, carrier, off)
    for sleeve in shape.sleeves:
        base = smooth_union(base, tube_field(ground, sleeve, points), _FILLET_MM)
    body = np.maximum(base, np.maximum(off - carrier, away - others))
    least = np.full(len(points), off)
    for place, normal in zip(shape.zones.points, shape.zones.normals):
        near = np.flatnonzero((np.abs(points - place) < 2.0 * guides.zone_diameter_mm).all(axis=1))
        # Past the base a pad would be a thin wall of its own.
        pad = np.maximum(_pad(shape, points[near], carrier[near], place, normal), beside[near] + _WITHIN_MM)
        least[near[off_axis(points[near], place, normal) < 0.5 * guides.zone_diameter_mm]] = guides.fit_gap_mm
        body[near] = np.minimum(body[near], np.maximum(pad, away - others[near]))
    body = np.maximum(body, -ground.free.ravel())
    opened = without_fins(body.reshape(ground.grid.array_shape), ground.grid.spacing)
    # What is left of wedges at the edges is rounded off, where bone, keep-outs and drills leave it to be.
    round_ = ndimage.gaussian_filter(opened, _ROUNDED_STEPS, mode="nearest").ravel()
    limits = np.maximum(least - carrier + overshoot(ground.carrier).ravel(), away - others)
    limits = np.maximum(limits, -ground.free.ravel())
    for sleeve in shape.sleeves:
        limits = np.maximum(limits, -drill_way_field(ground, sleeve, points))
    # Rounding thins what is squeezed between bones: what is no wall any more goes.
    return without_fins(np.maximum(round_, limits).reshape(ground.grid.array_shape), ground.grid.spacing)


def overshoot(distance: np.ndarray) -> np.ndarray:
    """[k, j, i] mm: how much farther from bone places between grid points seem than they are, where edges are sharp:
    what is drawn evenly between three points is off by an eighth of their second difference along each axis."""
    total = np.zeros(distance.shape)
    for axis in range(3):
        bent = np.moveaxis(total, axis, 0)
        values = np.moveaxis(distance, axis, 0)
        bent[1:-1] += values[2:] + values[:-2] - 2.0 * values[1:-1]
    return np.clip(total / 8.0, 0.0, _MOST_OVERSHOOT_MM)


def outline_of(shape: GuideShape) -> np.ndarray:
    """(n, 2) convex outline of the base, (across, out of the plate), around its zones, sleeves and hooks."""
    ground, zones = shape.ground, shape.zones
    circle = np.stack([f(2.0 * np.pi * np.arange(_PLATE_TURNS) / _PLATE_TURNS) for f in (np.cos, np.sin)], axis=1)
    radius = 0.5 * shape.guides.zone_diameter_mm + _PAST_MM
    feet = ground.local([s.foot for s in shape.sleeves])
    rounds = [place[:2] + radius * circle for place in zones.faces]
    rounds += [place[:2] + 0.5 * s.outer_mm * circle for place, s in zip(feet, shape.sleeves)]
    top = max(float(place[:, 1].max()) for place in (feet, zones.faces))
    rounds += [[place[0], top] + radius * circle for place in zones.hooks]
    corners = np.vstack(rounds)
    try:
        return corners[ConvexHull(corners).vertices]
    except QhullError as fault:  # zones and sleeves at one place
        raise GeometryError("the guide's zones and sleeves leave its base no outline: move the screws apart") from fault


def _base(shape: GuideShape, points: np.ndarray, carrier: np.ndarray, off: float) -> tuple[np.ndarray, np.ndarray]:
    """The shell over bone: before the face within the outline, and an arm past the rim to each hook; and how far points
    (n, 3) are beside it, mm, whatever their height over bone."""
    zones, guides = shape.zones, shape.guides
    shell = np.abs(carrier - (off + 0.5 * guides.base_thickness_mm)) - 0.5 * guides.base_thickness_mm
    feet = shape.ground.local([s.foot for s in shape.sleeves])
    behind = min(float(zones.faces[:, 2].min()), float(feet[:, 2].min())) - _BEHIND_MM - 0.5 * guides.zone_diameter_mm
    plane = polygon_distance(outline_of(shape), points[: int(np.prod(shape.ground.grid.shape[:2])), :2])
    across = np.tile(plane, shape.ground.grid.shape[2])
    half = 0.5 * guides.zone_diameter_mm + _PAST_MM
    # Past the endplate the base is no deeper than its hooks: a shelf over the plate would hold nothing.
    past = points[:, 1] > zones.hooks[:, 1].max() - 0.5 * guides.zone_diameter_mm
    last = np.where(past, max(behind, float(zones.hooks[:, 2].max()) + 0.5 * guides.zone_diameter_mm), behind)
    # Where the outline meets the shell at a sharp angle, no wedge is left.
    # Nor does it lap over the rim but with its arms: what the outline leaves of a shelf there would be thin.
    rim = max(float(zones.hooks[:, 1].max()) + off, float(zones.faces[:, 1].max()) + 0.5 * guides.zone_diameter_mm)
    beside = np.maximum(np.maximum(across, points[:, 1] - rim), last - points[:, 2])
    base = smooth_maximum(beside, shell, _EDGE_MM)
    level = float(np.median(np.concatenate([feet[:, 1], zones.faces[:, 1]])))
    for x, y, z in zones.hooks:
        arm = np.maximum(np.abs(points[:, 0] - x) - half, level - points[:, 1])
        arm = np.maximum(arm, points[:, 1] - (y + off + guides.base_thickness_mm))
        arm = np.maximum(arm, z - half - points[:, 2])
        base, beside = np.minimum(base, np.maximum(arm, shell)), np.minimum(beside, arm)
    return base, beside


def _pad(
    shape: GuideShape, points: np.ndarray, carrier: np.ndarray, place: np.ndarray, normal: np.ndarray
) -> np.ndarray:
    """A zone's pad: from the fit gap into the shell."""
    guides = shape.guides
    rim = off_axis(points, place, normal) - 0.5 * guides.zone_diameter_mm - _SPARE_RIM_MM
    top = guides.fit_gap_mm + RELIEF_MM + 0.5 * guides.base_thickness_mm
    high = (points - place) @ normal
    # Where bone falls away farther than a zone's rim may lie, the pad would be a wedge along the bone's side.
    ends = np.maximum(-STEP_IN_MM - high, high - top - STEP_OUT_MM)
    layer = np.maximum(guides.fit_gap_mm - carrier, carrier - top)
    return np.maximum(np.maximum(rim, ends), layer)


def tube_field(ground: Ground, sleeve: Sleeve, points: np.ndarray) -> np.ndarray:
    """The sleeve at points (n, 3) of the guide's frame, before it is drilled."""
    return cylinder_field(ground, sleeve, points, 0.0, sleeve.length_mm, 0.5 * sleeve.outer_mm)


def drill_way_field(ground: Ground, sleeve: Sleeve, points: np.ndarray) -> np.ndarray:
    """What must be free at points (n, 3) outside the sleeve for drill, stop and chuck."""
    length = sleeve.length_mm
    return cylinder_field(ground, sleeve, points, length, length + DRILL_WAY_MM, 0.5 * sleeve.outer_mm)


def cylinder_field(
    ground: Ground, sleeve: Sleeve, points: np.ndarray, first: float, last: float, radius: float
) -> np.ndarray:
    """The exact field of a cylinder about the sleeve's axis between two places out of its foot, mm."""
    outward = -ground.turned(np.array(sleeve.direction))[0]
    at = (points - ground.local([sleeve.foot])[0]) @ outward
    beside = off_axis(points, ground.local([sleeve.foot])[0], outward) - radius
    ends = np.maximum(first - at, at - last)
    outside = np.hypot(np.maximum(beside, 0.0), np.maximum(ends, 0.0))
    return np.asarray(outside + np.minimum(np.maximum(beside, ends), 0.0))


def check_free(ground: Ground, sleeves: Sequence[Sleeve], guides: GuidePlan) -> None:
    """Raises GeometryError where a sleeve would lie in what it must keep off, or in bone, at its place or before."""
    for sleeve in sleeves:
        wall = ground.local(wall_points(sleeve))
        if (ground.at(ground.free, wall) < 0.0).any():
            raise GeometryError(
                f"the sleeve of screw {sleeve.screw} would cross what it must keep off: shorten "
                "guides.sleeve_length_mm, turn the screw, or give the structure a rule in insertion.retractions"
            )
        if (np.minimum(ground.at(ground.others, wall), ground.at(ground.carrier, wall)) < guides.fit_gap_mm).any():
            raise GeometryError(
                f"bone lies in the way of the sleeve of screw {sleeve.screw} as the guide is slid on: shorten "
                'guides.sleeve_length_mm, turn the screw, or set guides.drill to "implant"'
            )


def _joined_zones(shape: GuideShape, values: np.ndarray) -> np.ndarray:
    """(n,) bool: which zones hang together with the sleeves; none where those do not hang together themselves."""
    ground = shape.ground
    piece = ndimage.label(values < 0.0)[0]
    walls = set[int]().union(*(_pieces(ground, piece, ground.local(wall_points(s))) for s in shape.sleeves))
    tops = shape.zones.points + (shape.guides.fit_gap_mm + RELIEF_MM) * shape.zones.normals
    joined = [len(walls) == 1 and 0 not in walls and _pieces(ground, piece, top[None]) == walls for top in tops]
    return np.array(joined)


def _pieces(ground: Ground, piece: np.ndarray, places: np.ndarray) -> set[int]:
    """Numbers of the pieces at places (n, 3), of which each is where one of the grid points around it is; 0 where none
    is in any."""
    low = np.floor(ground.grid.indices(places)).astype(int)
    around = np.stack(np.meshgrid(*[(0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    i, j, k = np.minimum(low[:, None] + around, np.array(ground.grid.shape) - 1).transpose(2, 0, 1)
    found = piece[k, j, i]
    return set(found[found > 0].tolist()) | set(found.max(axis=1).tolist())
