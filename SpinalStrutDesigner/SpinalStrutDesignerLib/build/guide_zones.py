"""Where a drill guide touches bone: separated zones on the face that it is slid onto, hooks on the endplate's rim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.samples import first_in_cells

from ..case.model import Endplate
from ..plan.guides import GuidePlan
from .guide_closure import Candidates, best_held, squares_of
from .guide_ground import Ground
from .outline import polygon_distance
from .sleeves import Sleeve

# Away from its zones a guide stays so much farther off the bone, mm. Engineering judgement: more than the print's
# tolerance (0.3) and the segmentation's error (0.8) where a zone is right.
RELIEF_MM = 1.0
# And from all other bone, which carries nothing, mm beyond the fit gap; engineering judgement.
NEIGHBOUR_MM = 0.5
# Between the rims of two zones, mm; engineering judgement.
_BETWEEN_MM = 1.0
# Zones lie so near to an entry, mm: a base that reaches farther needs a longer wound. Engineering judgement.
_REACH_MM = 17.0
# A zone looks at least so much towards the surgeon, and a hook's so much out of the endplate: the cosine of the angle.
_FACING, _HOOK_FACING = 0.15, 0.8
# A zone's rim lies on bone: within so much of the plane through its middle, mm, bone standing out or falling away.
STEP_OUT_MM, STEP_IN_MM = 0.8, 1.2
# At its place a zone is no farther from bone than the fit gap and this, mm, for what undercuts take.
_UNDERCUT_MM = 0.1
# Thinner than this no hook is made, mm: the PA12 wall of 1.0 mm and half of it more.
_HOOK_THICKNESS_MM = 1.5
# No zone lies farther behind the entries, along the way in, mm: a guide that grips so far round a body needs it bare
# there. Engineering judgement.
_DEEPEST_MM = 11.0
# No zone lies farther beside the body, seen along the spine, mm: there begin transverse processes and ribs, not to be
# bared for a guide, and beside a cervical body the vertebral artery. Engineering judgement; verify locally.
MOST_BARED_MM = 5.5
# Room for a zone's base beside its middle, mm: half the least wall and a step of the grid.
_ROOM_MM = 1.0
# How far a hook's middle may lie from the endplate's rim beyond half a zone, mm.
_BEHIND_RIM_MM = 6.0
# Places that are tried: as many as can be tried three by three at once.
_MOST_PLACES = 110
# So many zones on the face. Engineering judgement: more leave no room for windows, and bare more bone.
MOST_FACES = 6
_CELL_MM = 1.0
_AROUND = np.stack([f(2.0 * np.pi * np.arange(8) / 8.0) for f in (np.cos, np.sin)], axis=1)


@dataclass(frozen=True, eq=False)
class Zones:
    """Contact zones in the guide's frame. faces, hooks: (n, 3) on the bone; *_normals: (n, 3) unit, out of the bone."""

    faces: np.ndarray
    face_normals: np.ndarray
    hooks: np.ndarray
    hook_normals: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """(n, 3) of all of them, faces first."""
        return np.vstack([self.faces, self.hooks])

    @property
    def normals(self) -> np.ndarray:
        """(n, 3) theirs."""
        return np.vstack([self.face_normals, self.hook_normals])

    def only(self, kept: np.ndarray) -> Zones:
        """Those that are kept, (n,) bool in the order of points."""
        face, hook = kept[: len(self.faces)], kept[len(self.faces) :]
        return Zones(self.faces[face], self.face_normals[face], self.hooks[hook], self.hook_normals[hook])


def contact_zones(
    ground: Ground, plate: Endplate, sleeves: Sequence[Sleeve], guides: GuidePlan
) -> tuple[Zones, ...]:
    """Zones to be tried one after the other, as not all can be joined to one body: up to six on the face and two hooks
    on the endplate that hold the guide best, hooks with room for an arm first; last up to three as far apart as bone
    and reach allow with two hooks as far apart as they go.

    Raises GeometryError where no hook, or fewer than three separated zones in all, can be had.
    """
    points, normals = _surface(ground)
    near = _near(ground, points, sleeves) & _on_bone(ground, points, normals, 0.5 * guides.zone_diameter_mm)
    open_ = near & _reached(ground, points, normals, guides)
    hook = open_ & _on_rim(ground, points, normals, plate, guides.zone_diameter_mm)
    depth = ground.local([s.entry for s in sleeves])[:, 2].min() - _DEEPEST_MM
    face = open_ & (normals[:, 2] >= _FACING) & (normals[:, 1] < 0.5) & (points[:, 2] >= depth)
    face &= beside_body_mm(plate, ground.ras(points)) <= MOST_BARED_MM - 0.5 * guides.zone_diameter_mm
    face &= _borne(ground, points, normals, guides)
    face &= _off_axes(ground, points, sleeves, guides.zone_diameter_mm)
    apart = guides.zone_diameter_mm + _BETWEEN_MM
    hooks = _hooks(points, np.flatnonzero(hook), apart)
    if len(hooks) == 0:
        raise GeometryError(
            f"no place on the rim of {plate.level} {plate.face} endplate carries a hook of the guide, {_said(guides)}: "
            'make the zones smaller, prepare the disc space there, or set guides.drill to "implant"'
        )
    faces = _faces(points, np.flatnonzero(face), points[hooks], apart)
    if len(faces) < 2 or len(faces) + len(hooks) < 3:
        raise GeometryError(
            f"no three separated contact zones of the drill guide can be found on the face of {plate.level} within "
            f"{_REACH_MM:g} mm of its screws, {_said(guides)}, facing the way in: make guides.zone_diameter_mm "
            'smaller, move the screws to another side, or set guides.drill to "implant"'
        )
    found = [(faces, hooks)]
    for open_hooks in (hook, hook & _roomy(ground, points, normals, guides)):
        begun = _hooks(points, np.flatnonzero(open_hooks), apart)
        if len(begun) == len(hooks) and _stand_apart(points, faces, begun, apart):
            given = (faces, np.flatnonzero(face)), (begun, np.flatnonzero(open_hooks))
            found.append(_held_best(points, normals, *given, guides))
    return tuple(Zones(points[f], normals[f], points[h], normals[h]) for f, h in reversed(found))


def beside_body_mm(plate: Endplate, points: np.ndarray) -> np.ndarray:
    """(n,) mm that points (n, 3) RAS lie outside an endplate's outline, seen along the spine; negative within."""
    return np.asarray(polygon_distance(plate.to_local(plate.outline)[:, :2], plate.to_local(points)[:, :2]))


def _stand_apart(points: np.ndarray, faces: np.ndarray, hooks: np.ndarray, apart: float) -> bool:
    return bool(np.linalg.norm(points[faces, None] - points[None, hooks], axis=2).min() >= apart)


def _said(guides: GuidePlan) -> str:
    return f"guides.zone_diameter_mm {guides.zone_diameter_mm:g} mm, {_BETWEEN_MM:g} mm apart"


def _surface(ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 3) of the bone's surface about a millimetre apart, and its normals there (n, 3)."""
    mesh = isosurface(ground.bare, ground.grid)
    inner = np.all((mesh.vertices > ground.grid.lower) & (mesh.vertices < ground.grid.upper), axis=1)
    points = mesh.vertices[inner]
    points = points[first_in_cells(points, _CELL_MM)]
    steps = 1.5 * np.eye(3)  # over some voxels: a zone rests on what is around it, not on a stair
    slope = np.stack([ground.at(ground.bare, points + s) - ground.at(ground.bare, points - s) for s in steps], axis=1)
    return points, slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)


def _near(ground: Ground, points: np.ndarray, sleeves: Sequence[Sleeve]) -> np.ndarray:
    entries = ground.local([s.entry for s in sleeves])
    away: np.ndarray = np.linalg.norm(points[:, None] - entries, axis=2).min(axis=1)
    return away <= _REACH_MM


def _on_bone(ground: Ground, points: np.ndarray, normals: np.ndarray, radius: float) -> np.ndarray:
    """(n,) bool: whether the rim of a zone around a place lies on bone too."""
    u = np.cross(normals, np.where(np.abs(normals[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]))
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-9)
    v = np.cross(normals, u)
    held = np.ones(len(points), dtype=bool)
    for a, b in radius * _AROUND:
        distance = ground.at(ground.bare, points + a * u + b * v)
        held &= (distance > -STEP_OUT_MM) & (distance < STEP_IN_MM)
    return held


def _reached(ground: Ground, points: np.ndarray, normals: np.ndarray, guides: GuidePlan) -> np.ndarray:
    """(n,) bool: a zone comes there along the way in, past all bone, and may be there."""
    touching = points + guides.fit_gap_mm * normals
    behind = touching + _HOOK_THICKNESS_MM * normals
    reached = ground.at(ground.carrier, touching) >= guides.fit_gap_mm - _UNDERCUT_MM
    for place in (touching, behind):
        reached &= ground.at(ground.others, place) >= guides.fit_gap_mm + NEIGHBOUR_MM
        reached &= ground.at(ground.free, place) >= 0.0
    return reached


def _roomy(ground: Ground, points: np.ndarray, normals: np.ndarray, guides: GuidePlan) -> np.ndarray:
    """(n,) bool: a hook's arm beside its zone, which is farther off bone, keeps a wall there."""
    place = points + (guides.fit_gap_mm + RELIEF_MM + _HOOK_THICKNESS_MM) * normals
    roomy = ground.at(ground.others, place) >= guides.fit_gap_mm + NEIGHBOUR_MM
    return np.asarray(roomy & (ground.at(ground.free, place) >= 0.0))


def _borne(ground: Ground, points: np.ndarray, normals: np.ndarray, guides: GuidePlan) -> np.ndarray:
    """(n,) bool: half the base's thickness at least may stand on a zone there, and a wall's room beside it."""
    off = guides.fit_gap_mm + RELIEF_MM
    borne = np.ones(len(points), dtype=bool)
    for height in (off, off + 0.5 * guides.base_thickness_mm):
        place = points + height * normals
        borne &= ground.at(ground.carrier, place) >= height - 0.5 * guides.base_thickness_mm
        borne &= ground.at(ground.others, place) >= guides.fit_gap_mm + NEIGHBOUR_MM + _ROOM_MM
        borne &= ground.at(ground.free, place) >= _ROOM_MM
    return borne


def _on_rim(
    ground: Ground, points: np.ndarray, normals: np.ndarray, plate: Endplate, zone_mm: float
) -> np.ndarray:
    """(n,) bool: on the endplate, near its rim on the surgeon's side."""
    flat = plate.to_local(ground.ras(points))[:, :2]
    inside = -polygon_distance(plate.to_local(plate.outline)[:, :2], flat)
    middle = ground.local(plate.centre[None])[0]
    out = (points - middle) * [1.0, 0.0, 1.0]
    ahead = out[:, 2] > 0.5 * np.linalg.norm(out, axis=1)
    ahead &= normals[:, 1] >= _HOOK_FACING
    return np.asarray(ahead & (inside > 0.3 * zone_mm) & (inside < 0.5 * zone_mm + _BEHIND_RIM_MM))


def _off_axes(ground: Ground, points: np.ndarray, sleeves: Sequence[Sleeve], zone_mm: float) -> np.ndarray:
    """(n,) bool: the zone stays off what is drilled."""
    off = np.ones(len(points), dtype=bool)
    for sleeve in sleeves:
        away = off_axis(points, ground.local([sleeve.entry])[0], ground.turned(np.array(sleeve.direction))[0])
        off &= away >= 0.5 * (sleeve.bore_mm + zone_mm) + 0.5
    return off


def off_axis(points: np.ndarray, place: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(n,) mm: how far points (n, 3) lie from the line through a place along a unit direction."""
    from_place = points - place
    away: np.ndarray = np.linalg.norm(from_place - (from_place @ along)[:, None] * along, axis=1)
    return away


def _hooks(points: np.ndarray, places: np.ndarray, apart: float) -> np.ndarray:
    """(0 to 2,) numbers of places for hooks: the two farthest apart across, else the one in the middle."""
    if len(places) == 0:
        return places
    across = points[places, 0]
    left, right = places[np.argmin(across)], places[np.argmax(across)]
    if np.linalg.norm(points[left] - points[right]) >= apart:
        return np.array([left, right])
    return places[np.argsort(np.abs(across - np.median(across)), kind="stable")[:1]]


def _faces(points: np.ndarray, places: np.ndarray, hooks: np.ndarray, apart: float) -> np.ndarray:
    """(0 to 3,) numbers of places for zones: three whose triangle, seen along the way in, is highest over its longest
    side, which is what keeps a guide from tilting; else the two farthest apart."""
    away = np.linalg.norm(points[places, None] - hooks, axis=2).min(axis=1, initial=np.inf)
    places = _thinned(points, places[away >= apart])
    if len(places) < 2:
        return places[:0]
    at = points[places]
    away = np.linalg.norm(at[:, None] - at[None], axis=2)
    if len(places) >= 3:
        trio = np.array(list(combinations(range(len(places)), 3)))
        sides = np.stack([away[trio[:, a], trio[:, b]] for a, b in ((0, 1), (1, 2), (2, 0))], axis=1)
        trio, sides = trio[sides.min(axis=1) >= apart], sides[sides.min(axis=1) >= apart]
        if len(trio):
            a, b, c = at[trio, :2].transpose(1, 0, 2)
            double = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
            return np.asarray(places[trio[int(np.argmax(double / sides.max(axis=1)))]])
    one, other = np.unravel_index(int(np.argmax(away)), away.shape)
    return places[[one, other]] if away[one, other] >= apart else places[:0]


def _thinned(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """As many of the places as can be tried."""
    cell = _CELL_MM
    while len(places) > _MOST_PLACES:
        cell *= 1.2
        places = places[first_in_cells(points[places], cell)]
    return places


def _held_best(
    points: np.ndarray,
    normals: np.ndarray,
    faces: tuple[np.ndarray, np.ndarray],
    hooks: tuple[np.ndarray, np.ndarray],
    guides: GuidePlan,
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of faces and of hooks that hold best together; each given as those to begin with, and all that may be."""
    tried = [np.union1d(begun, _thinned(points, open_)) for begun, open_ in (faces, hooks)]
    both, kinds = np.concatenate(tried), np.repeat([0, 1], [len(places) for places in tried])
    begun = [(kind, place) for kind, given in enumerate((faces, hooks)) for place in given[0]]
    start = [int(np.flatnonzero((both == place) & (kinds == kind))[0]) for kind, place in begun]
    away = np.linalg.norm(points[both, None] - points[None, both], axis=2)
    squares = squares_of(points, normals, both, 0.5 * guides.zone_diameter_mm)
    candidates = Candidates(squares, away >= guides.zone_diameter_mm + _BETWEEN_MM, kinds)
    chosen = np.array(best_held(candidates, start, MOST_FACES + len(hooks[0])))
    return both[chosen[kinds[chosen] == 0]], both[chosen[kinds[chosen] == 1]]
