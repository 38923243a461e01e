"""What is written on parts, as made: how deep or how high it is, what is left behind it, and how far it is off bone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh

from ..build.bone import bone_distance
from ..build.design import Design, Situation
from ..build.mark import WALL_MM, Mark
from ..build.mark_ground import OFF_BONE_MM
from ..build.mark_place import Place
from .finding import Finding, Verdict
from .measured import finding_in
from .patches import Patches
from .raster import Rays, cast_at
from .registry import design_check

_STEP_MM = 0.1  # between rays
# Text may be so much deeper or less deep than planned, mm: what a surface under it may be uneven (0.08) and half as
# much again. A depth of 0.3 mm then keeps the 0.15 mm that can be read after polishing (clinical facts).
_TOLERANCE_MM = 0.12
# The least wall is right to a step of the rays on a slope of 25° and the unevenness, mm.
_WALL_ERROR_MM = 0.15
_BASIS = (
    "PA12 wall ≥ 1.0 mm, text ≥ 2 mm high and 1 mm deep; on metal lines ≥ 0.4 mm, depth ≥ 0.15 mm, 0.3 to 0.5 mm "
    "usual; verify locally"
)


@design_check(order=78)
def marks(design: Design) -> Iterator[Finding]:
    """Each block of text on each part: its depth as made, and whether it weakens the part or lies near bone."""
    meshes = {part.name: part.mesh for part in design.parts}
    situations = {implant.part.name: implant.situation for implant in design.implants}
    numbers: dict[str, int] = {}
    for mark in design.marks:
        number = numbers[mark.part] = numbers.get(mark.part, 0) + 1
        situation = situations.get(mark.part, design.implants[0].situation)
        id, what = f"mark.{mark.part}.{number}", f"Text on {mark.part.replace('_', ' ')}"
        if mark.place is None:
            yield _missing(design, mark, id, what)
        else:
            yield _made(mark, mark.place, meshes[mark.part], situation, design, id, what)


def _missing(design: Design, mark: Mark, id: str, what: str) -> Finding:
    return finding_in(
        design.implants[0].situation, id, what, "not made", "", "written, as marks asks", "warn",
        "parts that look alike are told apart by what is written on them; label the bag instead", detail=mark.why,
    )  # fmt: skip


def _made(
    mark: Mark, place: Place, mesh: Mesh, situation: Situation, design: Design, id: str, what: str
) -> Finding:
    depth, behind = text_depth_and_wall_mm(mark, place, mesh)
    middle = place.to_ras(np.zeros((1, 3)))
    off = float(bone_distance(situation.case.having("bone"), _corners(place), 4.0 * OFF_BONE_MM).min())
    wanted = mark.lettered.depth_mm
    verdict: Verdict = "pass" if abs(depth - wanted) <= _TOLERANCE_MM else "warn"
    if behind < WALL_MM - _WALL_ERROR_MM or off < 0.0:
        verdict = "fail"
    told = f"'{' / '.join(mark.lines)}', capitals {mark.lettered.height_mm:g} mm, lines {mark.stroke_mm:.2f} mm wide"
    measure = "depth" if mark.lettered.style == "engraved" else "height"
    # Names of variants' parts tell the variant already.
    return finding_in(
        design.implants[0].situation, id, f"{what}: {measure}", depth, "mm",
        f"{wanted:g} ± {_TOLERANCE_MM:g} mm; ≥ {WALL_MM:g} mm of solid behind, off bone", verdict, _BASIS, middle[0],
        detail=f"{told}; {behind:.2f} mm behind it, {off:.1f} mm off bone or more{_left_out(mark)}",
    )  # fmt: skip


def text_depth_and_wall_mm(mark: Mark, place: Place, mesh: Mesh) -> tuple[float, float]:
    """How deep (or high) letters are, the median over them, and the least solid behind text, on the finished mesh.

    NaN where no ray meets letters.
    """
    rays = _rays(place, mesh)
    ray, start, end = rays.chords
    at = rays.points(np.arange(int(np.prod(rays.shape))), np.zeros(int(np.prod(rays.shape))))
    flat = place.to_local(at)[:, :2]
    surface, slope = place.height(flat)
    lean = np.sqrt(1.0 + np.einsum("ij,ij->i", slope, slope))
    # Of each ray the chord that begins nearest to the surface on which the text was laid; the ray runs inwards.
    below = start + surface[ray]
    order = np.lexsort((np.abs(below), ray))
    first = order[np.append(True, np.diff(ray[order]) != 0)]
    inside = mark.letters.within(flat)
    deep = _well_within(inside.reshape(rays.shape)).ravel()[ray[first]]
    if not deep.any():
        return float("nan"), float("nan")
    sign = 1.0 if mark.lettered.style == "engraved" else -1.0
    depth = float(np.median(sign * below[first][deep] / lean[ray[first]][deep]))
    # Off the letters' walls, which a ray may graze.
    under = deep if mark.lettered.style == "engraved" else np.ones(len(first), dtype=bool)
    solid = end[first] - np.maximum(start[first], -surface[ray[first]])
    return depth, float(solid[under].min())


def _rays(place: Place, mesh: Mesh) -> Rays:
    """Over a block, against the way that its surface looks."""
    along, up, out = place.frame[:3, :3].T
    frame = np.stack([up, along, -out])  # right-handed
    return cast_at(Patches.of(mesh), frame, place.frame[:3, 3], _STEP_MM, -place.half[::-1], place.half[::-1])


def _well_within(inside: np.ndarray) -> np.ndarray:
    """Where all neighbours lie in letters too: off their walls."""
    held = inside.copy()
    for axis in (0, 1):
        for step in (1, -1):
            held &= np.roll(inside, step, axis=axis)
    return held


def _corners(place: Place) -> np.ndarray:
    """(9, 3) RAS: the block's middle, corners and middles of sides, on its surface."""
    flat = np.stack(np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]), axis=-1).reshape(-1, 2) * place.half
    return place.to_ras(np.column_stack([flat, place.height(flat)[0]]))


def _left_out(mark: Mark) -> str:
    return f"; {mark.why}" if mark.omitted else ""
