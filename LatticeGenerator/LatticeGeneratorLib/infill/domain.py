"""Whether a body can be filled at all: each fault is refused in words that say what to do about it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, maximum_filter
from scipy.spatial.transform import Rotation

from ..cells import cell_named
from ..errors import GeometryError
from ..field.distance import inside
from ..field.grid import Grid
from ..mesh.check import closed_manifold_fault
from ..mesh.inside import winding_number
from ..mesh.intersections import pierced_places, piercings
from ..mesh.mesh import Mesh
from ..mesh.nearest import Nearest
from ..mesh.pieces import Pieces, pieces_of
from .memory import memory_bytes
from .spec import LatticeSpec

# No implant is longer than a femur with its hip (0.5 m) or shorter than a pore: beyond these a file's unit is not the
# millimetre (engineering judgement).
_LEAST_EXTENT_MM, _MOST_EXTENT_MM = 1.0, 2000.0
# Surfaces that pass through themselves by no more than a trimmed lattice may overshoot are as good as whole: booleans
# and smoothing leave such.
_PIERCED_MM = 1e-3
# Measured on cubes filled with sheets, skeletons and struts: the triangles of a square grid step, and the surface over
# volume / thickness, for round struts 4 but for what is lost where they meet, for walls 2.
_TRIANGLES_PER_STEP, _OF_STRUTS, _OF_WALLS = 3.0, 3.4, 2.0
# Of a mesh: half a vertex of 24 bytes and a face of 24, once as made and once as checked.
_BYTES_PER_TRIANGLE = 72.0
_STEPS_PER_BALL, _FIRST_POINTS, _MOST_POINTS = 5.0, 100_000, 8_000_000
# Measured: slabs, balls, rods and the corners of shells come out right to 0.1 %.
_CANDIDATES, _CLIMBS, _CLOSER, _SETTLED, _REACH = 12, 60, 0.7, 1e-3, 4.0
_ROUNDED_MM = 0.005  # what messages round to, and more than balls are found too small by
_GIB = 2.0**30
# Along the axes, the edges and the corners of a cube.
_DIRECTIONS = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
_DIRECTIONS = np.delete(_DIRECTIONS, 13, axis=0)
_DIRECTIONS /= np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)

# What closed_manifold_fault says, and what to do about it; the first that is found counts.
_REMEDIES = (
    ("open edges", "repair its surface: close the holes, or make it again from its segment"),
    ("inconsistently directed", "turn all its faces outwards (orient the normals consistently)"),
    ("non-manifold", "let no edge or corner belong to two surfaces: separate or join them"),
    ("degenerate", "clean it of faces without area"),
)


def checked_body(mesh: Mesh, name: str) -> Mesh:
    """The mesh, if it is the closed surface of one body of an implant's size.

    Raises GeometryError, naming the fault, how much of it and where, and the remedy, for a mesh that is empty, has
    coordinates that are not numbers, is not in millimetres, open, not a manifold, inside out, in several pieces, or
    passes through itself.
    """
    if len(mesh.faces) == 0:
        raise _refusal(name, "it is empty", "load, paint or select something to fill")
    _refuse_numbers(mesh, name)
    _refuse_units(mesh, name)
    fault = closed_manifold_fault(mesh)
    if fault:
        volume = mesh.volume
        if "volume is" in fault and volume < 0.0:
            raise _refusal(name, f"it is inside out (its volume is {volume:.4g} mm³)", "turn its faces round")
        remedy = next((words for known, words in _REMEDIES if known in fault), "close or repair its surface first")
        raise _refusal(name, fault, remedy)
    _refuse_pieces(pieces_of(mesh), name)
    _refuse_piercing(mesh, name)
    return mesh


def checked_domain(mesh: Mesh, spec: LatticeSpec, voxel_mm: float, name: str = "the domain") -> Mesh:
    """The mesh, if it is a body (see `checked_body`) that a lattice of this kind fits into, and that fits into memory
    when it is filled on a grid of voxel_mm. Raises GeometryError otherwise."""
    checked_body(mesh, name)
    refuse_misfit(mesh, spec, voxel_mm, name)
    return mesh


def refuse_misfit(mesh: Mesh, spec: LatticeSpec, voxel_mm: float, name: str = "the domain") -> None:
    """Raises GeometryError where a closed body is too small or thin for one cell, or too large for memory."""
    cell = spec.cell_mm
    low, high = mesh.bounds
    extent = np.sort(high - low)
    least = f"{_floor(extent[0])} mm"
    if extent[0] < cell:
        size = " × ".join(f"{edge:.3g}" for edge in high - low)
        raise _refusal(
            name,
            f"a cell of {cell:.2f} mm is larger than it ({size} mm)",
            f"ask for smaller pores, so that cells are at most {least}, or choose a larger region",
        )
    _refuse_memory(mesh, spec, voxel_mm, name)
    thick = thickest_mm(mesh, cell)
    if thick < cell - _ROUNDED_MM:
        raise _refusal(
            name,
            f"it is {thick:.2f} mm thick where it is thickest, less than one cell of {cell:.2f} mm",
            f"ask for smaller pores, so that cells are at most {_floor(thick)} mm, or make it thicker",
        )


def estimated_triangles(volume_mm3: float, spec: LatticeSpec, voxel_mm: float) -> float:
    """How many triangles a lattice has, right to about a third."""
    of_volume = _OF_WALLS if cell_named(spec.cell).kind == "sheet" else _OF_STRUTS
    area = volume_mm3 * (1.0 - spec.porosity) * of_volume / spec.thickness_mm
    return _TRIANGLES_PER_STEP * area / voxel_mm**2


def thickest_mm(mesh: Mesh, enough_mm: float) -> float:
    """Diameter in mm of the largest ball inside a closed mesh; where one of enough_mm is found, that one's.

    Places that lie deep are found on a grid, coarse first, and each is then moved to where the exact distance to the
    surface is greatest.
    """
    low, high = mesh.bounds
    box = float(np.prod(high - low))
    surface = Nearest.of(mesh)
    step = float(np.cbrt(box / _FIRST_POINTS))
    best = 2.0 * _deepest(mesh, surface, Grid.around(low, high, step), 0.5 * enough_mm)
    finer = max(best / _STEPS_PER_BALL, float(np.cbrt(box / _MOST_POINTS)))
    if best < enough_mm and finer < step:
        best = max(best, 2.0 * _deepest(mesh, surface, Grid.around(low, high, finer), 0.5 * enough_mm))
    return best


def _deepest(mesh: Mesh, surface: Nearest, grid: Grid, enough: float) -> float:
    """Greatest distance in mm from inside to the surface, or one that is enough."""
    within = inside(mesh, grid)
    if not within.any():
        return 0.0
    depth = distance_transform_edt(within)
    peaks = np.flatnonzero((depth == maximum_filter(depth, 3)) & within)
    peaks = peaks[np.argsort(-depth.flat[peaks], kind="stable")[:_CANDIDATES]]
    k, j, i = np.unravel_index(peaks, depth.shape)
    places = grid.origin + grid.spacing * np.stack([i, j, k], axis=1)
    away = surface.to(places)[0]
    step = grid.spacing
    # Along a ridge that lies askew fixed directions would stand still: they are turned anew in each round.
    for turn in Rotation.random(_CLIMBS, random_state=0):
        if away.max() >= enough or step < _SETTLED * grid.spacing:
            break
        hopeful = away + _REACH * step >= away.max()
        places, away = places[hopeful], away[hopeful]
        moves = step * turn.apply(_DIRECTIONS)
        reached = surface.to(places[:, None] + moves)[0].reshape(len(places), -1)
        # No step is longer than the ball it starts from, or it might lead out through the surface.
        reached[step >= away] = -1.0
        choice = reached.argmax(axis=1)
        better = reached[np.arange(len(places)), choice] > away
        places[better] += moves[choice[better]]
        away[better] = reached[better, choice[better]]
        if better.mean() < 0.5:
            step *= _CLOSER
    return float(away.max())


def _refuse_numbers(mesh: Mesh, name: str) -> None:
    wrong = np.flatnonzero(~np.isfinite(mesh.vertices).all(axis=1))
    if len(wrong):
        place = ", ".join(f"{value:g}" for value in mesh.vertices[wrong[0]])
        count = f"{len(wrong)} of its vertices are not finite numbers (vertex {wrong[0]} is at ({place}))"
        raise _refusal(name, count, "export the surface again, or remove those vertices")


def _refuse_units(mesh: Mesh, name: str) -> None:
    low, high = mesh.bounds
    longest = float((high - low).max())
    if longest < _LEAST_EXTENT_MM:
        fault, remedy = "metres", "scale it by 1000"
    elif longest > _MOST_EXTENT_MM:
        fault, remedy = "micrometres", "scale it by 0.001"
    else:
        return
    raise _refusal(name, f"it is {longest:.4g} mm long, which looks like {fault} taken for millimetres", remedy)


def _refuse_pieces(pieces: Pieces, name: str) -> None:
    bodies = pieces.volumes > 0.0
    if bodies.sum() != 1:
        raise _refusal(
            name,
            f"it is in {int(bodies.sum())} separate pieces, which no lattice would hold together",
            "keep one of them, or join them",
        )
    voids = np.flatnonzero(pieces.volumes < 0.0)
    if len(voids) == 0:
        return
    numbers, first = np.unique(pieces.of_face, return_index=True)
    corners = pieces.mesh.vertices[pieces.mesh.faces[first[np.isin(numbers, voids)], 0]]
    lost = corners[winding_number(pieces.only(bodies), corners) < 0.5]
    if len(lost):
        raise _refusal(
            name,
            f"{len(lost)} of its pieces are inside out and lie outside the body, one at {_at(lost[0])}",
            "turn their faces round or remove them",
        )


def _refuse_piercing(mesh: Mesh, name: str) -> None:
    edges, faces = piercings(mesh)
    if len(edges) == 0:
        return
    a, b, c = mesh.triangles[faces].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-300)[:, None]
    ends = np.einsum("eni,ei->en", mesh.vertices[edges] - a[:, None], normal)
    deep = np.abs(ends).min(axis=1) > _PIERCED_MM
    if not deep.any():
        return
    count = len(np.unique(edges[deep], axis=0))
    place = pierced_places(mesh, edges[deep][:1], faces[deep][:1])[0]
    raise _refusal(
        name,
        f"it passes through itself: {count} edges pierce its faces by more than 1 µm, one at {_at(place)}",
        "repair or remesh it; overlapping parts must be joined into one body (a boolean union) first",
    )


def _refuse_memory(mesh: Mesh, spec: LatticeSpec, voxel_mm: float, name: str) -> None:
    triangles = estimated_triangles(mesh.volume, spec, voxel_mm)
    needed, there = _BYTES_PER_TRIANGLE * triangles, memory_bytes()
    if needed > there:
        most = mesh.volume * there / needed
        raise _refusal(
            name,
            f"its {mesh.volume / 1000.0:,.0f} cm³ would make about {triangles / 1e6:,.0f} million triangles at "
            f"{voxel_mm:.2f} mm a voxel, which need {needed / _GIB:,.0f} GiB, and this computer has {there / _GIB:.0f}",
            f"fill at most {_floor(most / 1000.0)} cm³ of it (a shell or a box), or ask for larger pores",
        )


def _floor(value: float) -> str:
    """A number rounded down to two places: what is offered must be possible."""
    return f"{np.floor(100.0 * value) / 100.0:.2f}"


def _at(place: np.ndarray) -> str:
    return "({:.3f}, {:.3f}, {:.3f}) mm".format(*place)


def _refusal(name: str, fault: str, remedy: str) -> GeometryError:
    return GeometryError(f"{name} cannot be filled: {fault}; {remedy}")
