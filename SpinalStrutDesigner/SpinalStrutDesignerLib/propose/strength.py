"""A first answer on strength while planning: stress in strut and feet under the loads that verification asks for."""

from __future__ import annotations

import numpy as np

from ..case.model import Endplate
from ..plan.curve import AxisCurve, axis_curve
from ..plan.plan import Axis, FootPlan, Loads, Plan, Section
from ..plan.section import section_polygon
from .margins import FINER, Bed, finer

# What verification asks for against yield: 2 at the axial load that is met for a lifetime, 1.2 at the envelope
# (engineering judgement; verify locally).
PASSES = (2.0, 1.2)
_STATION_MM, _SLICE_MM = 2.0, 1.0
_EDGE_POINTS = 32


def worst_load_N(loads: Loads) -> float:
    """The axial load that a body must bear without yielding, so that both factors against yield pass."""
    return max(PASSES[0] * loads.axial_N, PASSES[1] * loads.envelope_N)


def strut_reserve(plan: Plan, axis: Axis, section: Section, upper: Endplate, lower: Endplate) -> float:
    """Yield over the greatest stress in a bare strut at the worst load; 1 and more holds every factor.

    The load runs along the line through the docking endplates' centres, and the strut lies beside it: N/A, bending
    about both axes of the section and torsion, as verification does it on the finished mesh.
    """
    curve = axis_curve(axis, section, _STATION_MM)
    return plan.material.yield_MPa / float(_stress(curve, worst_load_N(plan.loads), upper.centre, lower.centre).max())


def root_reserve(plan: Plan, bed: Bed, foot: FootPlan) -> float:
    """Yield over the greatest bending stress in a foot that reaches from its contact to a strut beside the plate, at
    the worst load; infinite where the strut stands over the contact. bed: with every point that may be metal.

    Upright sections across the foot, each with the pressure on the contact beyond it, taken as even, as verification
    does it; the porous layer carries nothing.
    """
    contact = bed.raster[bed.facing(foot.fit_gap_mm) & bed.covered(foot)]
    if not len(contact):
        return 0.0
    middle = contact.mean(axis=0)
    way = bed.section.mean(axis=0) - middle
    way = way / max(float(np.linalg.norm(way)), 1e-9)
    solid = _solid(plan, bed, foot)
    place, lever = (solid[:, :2] - middle) @ way, (contact - middle) @ way
    load, worst = worst_load_N(plan.loads), 0.0
    step, high = bed.plain.step_mm, bed.plain.step_mm / FINER
    # The last slice ends before the strut's face: what lies in the strut is not the foot's.
    for along in np.arange(0.0, float(((bed.section - middle) @ way).min()) - _SLICE_MM, _SLICE_MM):
        beyond = lever < along
        if not beyond.any():
            continue
        out = solid[(place >= along - 0.5 * _SLICE_MM) & (place < along + 0.5 * _SLICE_MM), 2]
        if not len(out):
            return 0.0
        area = step**2 * high / _SLICE_MM
        height = out - out.mean()
        inertia = area * float((height**2).sum() + len(out) * high**2 / 12.0)
        moment = load * float(beyond.mean()) * float(along - lever[beyond].mean())
        worst = max(worst, moment * (float(np.abs(height).max()) + 0.5 * high) / inertia)
    return plan.material.yield_MPa / worst if worst > 0.0 else np.inf


def _solid(plan: Plan, bed: Bed, foot: FootPlan) -> np.ndarray:
    """(n, 3) points of the foot that carry load, on the block's columns and its finer heights: all but the porous
    layer, as build/interface makes it."""
    layer, gap = plan.interface, foot.fit_gap_mm
    plain, others = (field.values.ravel()[bed.at] for field in (bed.plain, bed.others))
    porous = np.maximum(plain - gap - layer.depth_mm, gap + layer.minimum_solid_mm - others)
    porous = np.maximum(porous, bed.inside(foot) + layer.frame_mm)
    values = np.full(bed.plain.values.size, bed.plain.step_mm)
    values[bed.at] = np.maximum(bed.metal(foot), -porous)
    out, column = np.nonzero(finer(values.reshape(len(bed.plain.values), -1)) < 0.0)
    return np.column_stack([bed.raster[column], bed.plain.low[2] + out * bed.plain.step_mm / FINER])


def _stress(curve: AxisCurve, load_N: float, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """(n,) MPa, the greatest equivalent stress at each sample of the curve."""
    force = load_N * (bottom - top) / np.linalg.norm(bottom - top)
    moments = np.cross(top - curve.points, force)
    along = curve.tangents @ force
    about_right, about_back, twist = (
        np.einsum("ij,ij->i", moments, ways) for ways in (curve.rights, curve.backs, curve.tangents)
    )
    stress = np.empty(len(along))
    for i, (width, depth) in enumerate(zip(curve.widths, curve.depths)):
        edge = section_polygon(curve.section, float(width), float(depth), _EDGE_POINTS)
        area, centre, (over_u, over_v) = moments_of(edge)
        u, v = (edge - centre).T
        fibre = -along[i] / area + about_back[i] * u / over_u - about_right[i] * v / over_v
        shear = abs(twist[i]) * float(np.hypot(u, v).max()) / (over_u + over_v)
        stress[i] = np.hypot(np.abs(fibre).max(), np.sqrt(3.0) * shear)
    return stress


def moments_of(edge: np.ndarray) -> tuple[float, np.ndarray, tuple[float, float]]:
    """Area, centroid (2,) and the integrals of u² and v² about it of a polygon (n, 2) (Green's theorem)."""
    after = np.roll(edge, -1, axis=0)
    cross = edge[:, 0] * after[:, 1] - after[:, 0] * edge[:, 1]
    area = 0.5 * float(cross.sum())
    centre = ((edge + after) * cross[:, None]).sum(axis=0) / (6.0 * area)
    squares = ((edge**2 + edge * after + after**2) * cross[:, None]).sum(axis=0) / 12.0
    u, v = squares - area * centre**2
    return area, centre, (float(u), float(v))
