"""Whether each drill guide slides straight onto its seat: measured on its finished surface along its way in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from LatticeGeneratorLib.field.distance import signed_distance
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.sampled import Sampled
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.samples import Samples, spread, surface_points

from ..build.bone import bone_distance
from ..build.design import Design, DrillGuide, Situation
from ..build.guide_ground import WAY_MM
from .finding import Finding
from .measured import finding_in
from .registry import design_check

# On its way a guide may seem to touch by so much, mm: what 0.5 mm between points and 0.25 mm between places along the
# way leave unseen or make seem so on a distance field that is itself right to 0.05 mm.
SLIDE_ERROR_MM = 0.1
_POINT_MM, _PLACE_MM = 0.5, 0.25
_FAR_MM = 8.0  # distances to bone beyond are alike
# Of an implant's distance, mm: sampling, and where it is cut off to both sides. A bore's sharp rim is found between
# denser points.
_METAL_STEP_MM, _METAL_FAR_MM, _METAL_POINT_MM = 0.25, 1.0, 0.25

Met = tuple[float, np.ndarray, float]
"""Least distance mm, negative within; where (3,) RAS; how far before the seat, mm."""


@design_check(order=72)
def slides_on(design: Design) -> Iterator[Finding]:
    """Least distance of each guide to what it meets on its straight way from 30 mm outside to its seat: bone, and the
    finished implant where it clips into that."""
    implant = design.implants[0]
    situation, plan = implant.situation, implant.situation.plan.guides
    for guide in design.guides:
        met = {"bone": least_on_way(guide, situation)}
        if plan.drill == "implant":
            met["the implant"] = metal_on_way(guide, implant.part.mesh)
        nearest = min(met, key=lambda what: met[what][0])
        least, place, at = met[nearest]
        on = "the holes" if plan.drill == "implant" else "the zones"
        yield finding_in(
            situation,
            f"guide.{guide.part.name}.slides",
            f"{guide.part.name.replace('_', ' ').capitalize()}: distance to {' and '.join(met)} as it is slid on",
            least,
            "mm",
            f"≥ 0 mm within {SLIDE_ERROR_MM:g} mm of sampling error",
            "pass" if least >= -SLIDE_ERROR_MM else "fail",
            "a guide that scrapes on its way does not reach its seat, and leads the drill elsewhere",
            place,
            detail=f"{nearest}, {'at least so deep, ' if least <= -_METAL_FAR_MM else ''}met {at:.1f} mm before the "
            f"seat; planned gap at {on} {plan.fit_gap_mm:g} mm, less a print tolerance of "
            f"{plan.print_tolerance_mm:g} mm that may have to be dressed off",
        )


def least_on_way(guide: DrillGuide, situation: Situation) -> Met:
    """A guide's least distance to bone on its way in, 8 mm at most."""
    points = surface_points(guide.part.mesh, _POINT_MM)
    samples, bones = Samples(points), situation.case.having("bone")
    found: Met = (_FAR_MM, points[0], 0.0)
    for out in np.arange(0.0, WAY_MM + _PLACE_MM, _PLACE_MM):
        shift = -out * guide.insertion
        index, values = samples.below(lambda p, s=shift: bone_distance(bones, p + s, _FAR_MM), found[0])  # type: ignore[misc]
        if len(index):
            nearest = int(np.argmin(values))
            found = (float(values[nearest]), points[index[nearest]] + shift, float(out))
    return found


def metal_on_way(guide: DrillGuide, implant: Mesh) -> Met:
    """A guide's least distance to a finished implant on its way in, cut off at ±1 mm.

    Each point of the guide's surface goes out along the way: by as much as its distance is more than the least yet
    found nothing nearer can be met, and else by a quarter of a millimetre.
    """
    # Long slivers of flat faces would be sampled far too often by their edges.
    points = np.concatenate([guide.part.mesh.vertices, spread(guide.part.mesh, _METAL_POINT_MM)[0]])
    outward = -guide.insertion
    metal = _around(implant, points, outward)
    out, going = np.zeros(len(points)), np.arange(len(points))
    found: Met = (_METAL_FAR_MM, points[0], 0.0)
    while len(going):
        values = metal.at(points[going] + out[going, None] * outward)
        nearest = int(np.argmin(values))
        if values[nearest] < found[0]:
            at = out[going[nearest]]
            found = (float(values[nearest]), points[going[nearest]] + at * outward, float(at))
        out[going] += np.maximum(values - found[0], _PLACE_MM)
        going = going[out[going] <= WAY_MM]
    return found


def _around(implant: Mesh, points: np.ndarray, outward: np.ndarray) -> Sampled:
    """The implant's signed distance where points (n, 3) come on their way."""
    low, high = points.min(axis=0), points.max(axis=0)
    low, high = np.minimum(low, low + WAY_MM * outward), np.maximum(high, high + WAY_MM * outward)
    # Beyond a millimetre around the implant all is as far as its border.
    first, last = implant.bounds
    low, high = np.maximum(low, first - _METAL_FAR_MM), np.minimum(high, last + _METAL_FAR_MM)
    grid = Grid.around(low, np.maximum(low, high), _METAL_STEP_MM)
    return Sampled(signed_distance(implant, grid, _METAL_FAR_MM), grid)
