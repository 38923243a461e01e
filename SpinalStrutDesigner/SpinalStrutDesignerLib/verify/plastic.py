"""Whether a printer can make each plastic part: walls, sleeves, thin edges, cavities, its envelope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from LatticeGeneratorLib.mesh.check import components
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.samples import spread
from scipy.spatial import cKDTree

from ..build.design import Design
from ..build.mark import Mark
from .finding import Finding
from .measured import finding_in
from .registry import design_check

# Laser-sintered PA12 (clinical facts): wall ≥ 1.0 mm; sleeves' wall ≥ 2 mm.
WALL_MM, SLEEVE_WALL_MM = 1.0, 2.0
_POINT_MM = 0.4  # between points at which thickness is measured
_THROUGH_MM = 0.03  # a ball may reach through the surface by so much: normals of a meshed surface err
_STEPS = 20
_AROUND = 50  # places within 1.5 mm of one, at that spacing
_ERROR_MM = 0.1  # of a wall measured so: balls and edges rounded off
# Powder does not leave a long hole narrower than this by itself, mm (clinical facts: exit holes ≥ 2-3).
_POWDER_MM = 2.0
_BASIS = "laser-sintered PA12: wall ≥ 1.0 mm; verify with the printer's maker"


@design_check(order=75)
def printable_plastic(design: Design) -> Iterator[Finding]:
    """Thinnest wall or wedge, sleeves' walls, closed cavities, narrow sleeves and size of each guide and trial."""
    envelope = sorted(design.implants[0].situation.plan.printer.envelope_mm)
    sleeves = {guide.part.name: guide.sleeves for guide in design.guides}
    for part in design.parts:
        if part.role not in ("guide", "trial") or (part.role == "trial" and part is not _first_trial(design)):
            continue
        yield _walls(design, part)
        yield _cavities(design, part)
        yield _size(design, part, envelope)
        for sleeve in sleeves.get(part.name, ()):
            wall = 0.5 * (sleeve.outer_mm - sleeve.bore_mm)
            yield _finding(
                design,
                part,
                f"sleeve.{sleeve.screw}",
                f"wall of the sleeve of screw {sleeve.screw}",
                wall,
                f"≥ {SLEEVE_WALL_MM:g} mm",
                wall >= SLEEVE_WALL_MM - 1e-9,
                "sleeve's wall ≥ 2 mm, recalled; verify locally",
                sleeve.top,
                f"bore {sleeve.bore_mm:.2f} mm open at both ends"
                + ("" if sleeve.bore_mm >= _POWDER_MM else "; narrower than powder leaves by itself: blow it out"),
            )


def _first_trial(design: Design) -> Part | None:
    """Variants differ from it in length alone."""
    return next((part for part in design.others if part.role == "trial"), None)


def thickness(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 3) spread over a closed mesh, and (n,) mm: the diameter of the largest ball inside that touches the
    surface there, at most twice the least wall.

    The shrinking ball of Ma, Bae and Choi (2012).
    """
    points, normals = spread(mesh, _POINT_MM)
    radii, tree = np.full(len(points), WALL_MM), cKDTree(points)
    tried = np.arange(len(points))
    for _ in range(_STEPS):
        away, nearest = tree.query(points[tried] - radii[tried, None] * normals[tried])
        held = away < radii[tried] - _THROUGH_MM
        tried, nearest = tried[held], nearest[held]
        if len(tried) == 0:
            break
        way = points[nearest] - points[tried]
        inward = -np.einsum("ij,ij->i", way, normals[tried])
        radii[tried] = np.einsum("ij,ij->i", way, way) / np.maximum(2.0 * inward, 1e-9)
    return points, 2.0 * np.minimum(radii, WALL_MM)


def thinnest_mm(mesh: Mesh) -> float:
    """The thinnest wall or wedge of a closed mesh, at most the least wall, mm."""
    return _thinnest(mesh, ())[0]


def _thinnest(mesh: Mesh, marks: Sequence[Mark]) -> tuple[float, np.ndarray | None, float]:
    """That, where (None where nothing is thin), and which share of the surface lies at edges."""
    points, wide = thickness(mesh)
    # Letters are no walls: what stands between their lines carries nothing, and what lies behind them is told of text.
    text = np.any([mark.covers(points) for mark in marks], axis=0) if marks else np.zeros(len(points), dtype=bool)
    thin = np.flatnonzero((wide < WALL_MM) & ~text)
    if len(thin) == 0:
        return WALL_MM, None, 0.0
    # The edge of any body is thin; a wall or wedge is where next to nothing around is thick either.
    around = cKDTree(points).query(points[thin], k=min(_AROUND, len(points)))[1]
    walls = np.percentile(wide[around], 90.0, axis=1)
    worst = int(np.argmin(walls))
    return min(float(walls[worst]), WALL_MM), points[thin[worst]], len(thin) / len(points)


def _walls(design: Design, part: Part) -> Finding:
    least, place, edges = _thinnest(part.mesh, [mark for mark in design.marks if mark.part == part.name])
    return _finding(
        design,
        part,
        "wall",
        "thinnest wall or wedge",
        least,
        f"≥ {WALL_MM:g} mm",
        least >= WALL_MM - _ERROR_MM,
        _BASIS,
        place,
        f"{'' if least < WALL_MM else 'at least this; '}the largest ball within 1.5 mm of a place, right to "
        f"{_ERROR_MM:g} mm; {100.0 * edges:.1f} % of the surface lies at edges",
    )


def _cavities(design: Design, part: Part) -> Finding:
    voids = [piece for piece in components(part.mesh) if piece.volume <= 0.0]
    return _finding(
        design,
        part,
        "cavities",
        "closed cavities",
        float(len(voids)),
        "0",
        not voids,
        "powder cannot leave a closed cavity",
        voids[0].vertices.mean(axis=0) if voids else None,
        unit="",
    )


def _size(design: Design, part: Part, envelope: list[float]) -> Finding:
    sides = np.sort(np.ptp(part.mesh.vertices, axis=0))
    over = float((sides - envelope).max())
    return _finding(
        design,
        part,
        "size",
        "longest side",
        float(sides[-1]),
        f"sides within {' × '.join(f'{side:g}' for side in envelope)} mm",
        over <= 0.0,
        f"the printer's envelope, {design.implants[0].situation.plan.printer.name}; verify for the plastic's printer",
    )


def _finding(
    design: Design,
    part: Part,
    key: str,
    what: str,
    value: float,
    limit: str,
    passes: bool,
    basis: str,
    place: object = None,
    detail: str = "",
    unit: str = "mm",
) -> Finding:
    return finding_in(
        design.implants[0].situation,
        f"plastic.{part.name}.{key}",
        f"{part.name.replace('_', ' ').capitalize()}: {what}",
        value,
        unit,
        limit,
        "pass" if passes else "fail",
        basis,
        None if place is None else np.asarray(place),
        detail=detail,
    )
