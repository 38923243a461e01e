"""How much surface metal shows to the void, and the mean lengths that lines spend in either (ASTM F1854)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError
from ..field.combine import sample
from ..mesh.mesh import Mesh
from ..mesh.split import split_triangles
from .balls import faces_near
from .thickness import Layer

# Faces no farther from the domain's border than this that look the same way, to 25 degrees, are where it was cut, not
# metal that faces void: as much as thinning and rounding to STL together move a surface (chord error, 0.02 mm).
_CUT_MM, _CUT_COSINE = 0.02, 0.9


@dataclass(frozen=True)
class Interface:
    """The surface between metal and void within a domain, over the domain's volume.

    per_volume: mm² per mm³; shadow: the same surface as seen along x, y and z, every layer of it counted, mm² per mm³:
    how often a line in that direction crosses the surface in a millimetre.
    """

    per_volume: float
    shadow: tuple[float, float, float]


@dataclass(frozen=True)
class Intercept:
    """Mean length in mm of the pieces into which metal and void cut straight lines (ASTM F1854 mean intercept length).

    void_mm, metal_mm: over lines in all directions alike; void_along_mm: over lines along x, y and z.
    """

    void_mm: float
    metal_mm: float
    void_along_mm: tuple[float, float, float]


def interface(body: Mesh, domain: Mesh, layer: Layer | None = None) -> Interface:
    """The body's surface within the domain. Faces on the domain's own border, where a lattice was cut, do not count.

    Exact for the meshes within a flat border; where a lattice was cut, its bevelled rims make it uncertain by some 3 %
    in a block of 2 mm, and by less in larger ones.
    layer: of the same body and domain, if there is one already. Raises GeometryError where the domain has no volume.
    """
    if domain.volume <= 0.0:
        raise GeometryError(f"the domain has a volume of {domain.volume:.3g} mm³: close it, or turn its faces outwards")
    layer = layer or Layer.of(body, domain)
    triangles, depths = _near(body, domain, layer)
    across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    share = _share_below(depths, 0.0)
    beside = np.flatnonzero((np.abs(depths) < _CUT_MM).all(axis=1))
    share[beside[_along_border(triangles[beside].mean(axis=1), across[beside], layer)]] = 0.0
    counted = 0.5 * share / domain.volume
    x, y, z = (float(v) for v in counted @ np.abs(across))
    return Interface(float(counted @ np.linalg.norm(across, axis=1)), (x, y, z))


def intercept(porosity: float, surface: Interface) -> Intercept:
    """The mean intercept lengths of a structure of that porosity (share of void, 0 to 1) and interface.

    What infinitely many parallel or random test lines would find, without drawing them: lines of length L along a unit
    vector u spend porosity · L in the void and cross a surface of normals n in ∫|n·u| dA / V · L places, of which every
    piece of void has two; over all directions the mean of |n·u| is a half (Cauchy), so that the void's mean is
    4 · porosity / (S/V) and the metal's 4 · (1 − porosity) / (S/V) (Underwood 1970). A piece that the domain's border
    cuts counts with its length and the ends it has inside, so that the border has no influence.
    Raises GeometryError where there is no surface.
    """
    if surface.per_volume <= 0.0:
        raise GeometryError("no surface between metal and void lies in the domain: lines are not cut there")
    along = [2.0 * porosity / crossings if crossings > 0.0 else float("inf") for crossings in surface.shadow]
    return Intercept(
        4.0 * porosity / surface.per_volume,
        4.0 * (1.0 - porosity) / surface.per_volume,
        (along[0], along[1], along[2]),
    )


def _along_border(places: np.ndarray, normals: np.ndarray, layer: Layer) -> np.ndarray:
    """Bool (n,): whether the domain's border beside the places (n, 3) looks the way of the normals (n, 3)."""
    steps = 0.5 * layer.grid.spacing * np.eye(3)
    rise = [sample(layer.depth, layer.grid, places + s) - sample(layer.depth, layer.grid, places - s) for s in steps]
    slope = np.stack(rise, axis=1)
    lengths = np.linalg.norm(slope, axis=1) * np.linalg.norm(normals, axis=1)
    return np.einsum("ij,ij->i", slope, normals) > _CUT_COSINE * lengths


def _near(body: Mesh, domain: Mesh, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """The body's surface near the domain in triangles (n, 3, 3) not much larger than a voxel, and how far outside the
    domain their corners lie, (n, 3) mm."""
    limit = layer.grid.spacing
    faces = body.faces[faces_near(body, *domain.bounds)]
    triangles = body.vertices[faces]
    a, b, c = triangles.transpose(1, 0, 2)
    large = ((np.maximum(np.maximum(a, b), c) - np.minimum(np.minimum(a, b), c)) > 1.5 * limit).any(axis=1)
    pieces = split_triangles(triangles[large], limit)
    at_vertices = sample(layer.depth, layer.grid, body.vertices)[faces[~large]]
    at_pieces = sample(layer.depth, layer.grid, pieces.reshape(-1, 3)).reshape(-1, 3)
    return np.concatenate([triangles[~large], pieces]), np.concatenate([at_vertices, at_pieces])


def _share_below(values: np.ndarray, level: float) -> np.ndarray:
    """(n,) share of each triangle's area where a linear function, given at its corners (n, 3), is below the level."""
    low, middle, high = np.sort(values, axis=1).T
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = (level - low) ** 2 / ((middle - low) * (high - low))
        falling = 1.0 - (high - level) ** 2 / ((high - low) * (high - middle))
    return np.select([high <= level, low >= level, middle >= level], [1.0, 0.0, rising], falling)
