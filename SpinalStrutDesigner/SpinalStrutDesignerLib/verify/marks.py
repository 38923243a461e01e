"""What is written on parts, as made: how deep or how high it is, what is left behind it, and how far it is off bone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
# A ray in a letter that meets nothing so far under the letter's ground goes through the part, mm; more of them than
# this share are no rays lost at vertices.
_MISSED_MM, _LOST = 0.5, 0.02
_BASIS = (
    "PA12 wall ≥ 1.0 mm, text ≥ 2 mm high and 1 mm deep; on metal lines ≥ 0.4 mm, depth ≥ 0.15 mm, 0.3 to 0.5 mm "
    "usual; verify locally"
)


@design_check(order=78)
def marks(design: Design) -> Iterator[Finding]:
    """Each block of text on each part: its depth as made, and whether it weakens the part or lies near bone."""
    meshes = {part.name: part.mesh for part in design.parts}
    situations = _situations(design)
    numbers: dict[str, int] = {}
    for mark in design.marks:
        number = numbers[mark.part] = numbers.get(mark.part, 0) + 1
        situation = situations.get(mark.part, design.implants[0].situation)
        id, what = f"mark.{mark.part}.{number}", f"Text on {mark.part.replace('_', ' ')}"
        if mark.place is None:
            yield _missing(design, mark, id, what)
        else:
            yield _made(mark, mark.place, meshes[mark.part], situation, design, id, what)


def _situations(design: Design) -> dict[str, Situation]:
    """Where implants and their trials lie; guides lie as the nominal implant does."""
    found = dict[str, Situation]()
    for implant in design.implants:
        variant = f"_{implant.situation.name}" if implant.situation.amount_mm else ""
        found |= {f"{kind}{variant}": implant.situation for kind in ("implant", "trial")}
    return found


def _missing(design: Design, mark: Mark, id: str, what: str) -> Finding:
    return finding_in(
        design.implants[0].situation, id, what, "not made", "", "written, as marks asks", "warn",
        "parts that look alike are told apart by what is written on them; label the bag instead", detail=mark.why,
    )  # fmt: skip


def _made(
    mark: Mark, place: Place, mesh: Mesh, situation: Situation, design: Design, id: str, what: str
) -> Finding:
    made = measured_text(mark, place, mesh)
    flat = _spread_over(place)
    surface = place.to_ras(np.column_stack([flat, place.height(flat)[0]]))
    off = float(bone_distance(situation.case.having("bone"), surface, 4.0 * OFF_BONE_MM).min())
    wanted = mark.lettered.depth_mm
    verdict: Verdict = "not_evaluated" if made.depth_mm is None else "warn"
    if made.depth_mm is not None and abs(made.depth_mm - wanted) <= _TOLERANCE_MM:
        verdict = "pass"
    if made.behind_mm < WALL_MM - _WALL_ERROR_MM or off < 0.0:
        verdict = "fail"
    told = f"'{' / '.join(mark.lines)}', capitals {mark.lettered.height_mm:g} mm, lines {mark.stroke_mm:.2f} mm wide"
    measure = "depth" if mark.lettered.style == "engraved" else "height"
    # Names of variants' parts tell the variant already.
    return finding_in(
        design.implants[0].situation, id, f"{what}: {measure}", made.depth_mm, "mm",
        f"{wanted:g} ± {_TOLERANCE_MM:g} mm; ≥ {WALL_MM:g} mm of solid behind, off bone", verdict, _BASIS,
        place.to_ras(np.zeros((1, 3)))[0],
        detail=f"{told}; {made.behind_mm:.2f} mm behind it, {off:.1f} mm off bone or more{_left_out(mark)}",
    )  # fmt: skip


@dataclass(frozen=True)
class TextMade:
    """Text on a finished mesh. depth_mm: how deep (or high) letters are, the median over them, None where they cannot
    be measured; behind_mm: the least solid behind them and between them, 0 where they go through."""

    depth_mm: float | None
    behind_mm: float


def measured_text(mark: Mark, place: Place, mesh: Mesh) -> TextMade:
    """A block of text as it is on the mesh, by rays over it."""
    rays = _rays(place, mesh)
    ray, start, end = rays.chords
    count = int(np.prod(rays.shape))
    flat = place.to_local(rays.points(np.arange(count), np.zeros(count)))[:, :2]
    surface, slope = place.height(flat)
    # Of each ray, which runs inwards, the chord that begins nearest to the surface on which the text was laid.
    below = start + surface[ray]
    order = np.lexsort((np.abs(below), ray))
    first = order[np.append(True, np.diff(ray[order]) != 0)] if len(order) else order
    begins, solid = np.full(count, np.inf), np.zeros(count)
    begins[ray[first]] = below[first]
    solid[ray[first]] = end[first] - np.maximum(start[first], -surface[ray[first]])
    inside = mark.letters.within(flat).reshape(rays.shape)
    # Off the letters' walls, which a ray may graze.
    deep, beside = _well_within(inside).ravel(), _well_within(~inside).ravel()
    met = begins < mark.lettered.depth_mm + _MISSED_MM
    if not deep.any() or (~met[deep]).mean() > _LOST:
        return TextMade(None, 0.0)
    sign = 1.0 if mark.lettered.style == "engraved" else -1.0
    lean = np.sqrt(1.0 + np.einsum("ij,ij->i", slope, slope))
    depth = float(np.median(sign * (begins / lean)[deep & met]))
    return TextMade(depth, float(solid[(deep | beside) & met].min()))


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


def _spread_over(place: Place) -> np.ndarray:
    """(n, 2) places of a block half a millimetre apart, its corners among them."""
    sides = (np.linspace(-half, half, int(np.ceil(4.0 * half)) + 1) for half in place.half)
    return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)


def _left_out(mark: Mark) -> str:
    return f"; {mark.why}" if mark.omitted else ""
