"""The nominal implant: its solid, porous interfaces and screw holes, as one closed body."""

from __future__ import annotations

from dataclasses import dataclass

from LatticeGeneratorLib.mesh.boolean import Solid, printable
from LatticeGeneratorLib.mesh.check import components
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.untangle import untangled
from LatticeGeneratorLib.progress import Progress, silent

from ..plan.curve import AxisCurve, axis_curve
from ..plan.plan import Plan
from ..threads import both
from .design import Foot, Implant, Situation
from .end import EndShape, end_shape
from .footprint import contact_lost_mm2
from .interface import PorousLayer, layer_notes, porous_layer
from .screws import finished_cutter
from .solid import SolidShape, solid_mesh

# Deviations within which slivers are thinned out, mm, the first that works: all far below the 0.02 mm chord error.
SLIVER_MM = (1e-3, 5e-4, 2e-3, 2e-4)
# Longer edges are cut: a long flat face would not follow where a variant's span is drawn out smoothly. With edges of
# 2 mm it is off by at most 6 / (45 mm)² · 4 mm · (2 mm)² / 8 = 6 µm (smoothstep's curvature over half of 90 mm).
LONGEST_MM = 2.0


@dataclass(frozen=True, eq=False)
class Blank:
    """An implant before its surface is finished. undrilled: with its pores and without its screw holes; porous: with
    both; solid: without pores, for the trial."""

    situation: Situation
    axis: AxisCurve
    feet: tuple[Foot, Foot]
    undrilled: Solid
    porous: Solid
    solid: Solid
    provenance: dict[str, str]


def blank(situation: Situation, progress: Progress = silent) -> Blank:
    """The nominal implant's bodies, drilled. Raises GeometryError when bone cuts it apart."""
    plan = situation.plan
    axis = axis_curve(plan.axis, plan.section)
    ends = both(lambda: end_shape(situation, axis, "upper"), lambda: end_shape(situation, axis, "lower"))
    progress("solid and interfaces", 0.1)
    (mesh, dropped), layers = both(
        lambda: solid_mesh(SolidShape(situation, axis, ends)),
        lambda: [porous_layer(end, axis, plan.interface) for end in ends],
        lambda: progress("interfaces", 0.5),
    )
    progress("joining", 0.9)
    bores = [finished_cutter(screw) for screw in plan.screws]
    made = [layer for layer in layers if layer is not None]
    solid = Solid.of(mesh)
    porous = solid.less([layer.cutter for layer in made]).joined([layer.lattice for layer in made])
    return Blank(
        situation=situation,
        axis=axis,
        feet=(_foot(ends[0], layers[0], plan), _foot(ends[1], layers[1], plan)),
        undrilled=porous,
        porous=porous.less(bores),
        solid=solid.less(bores),
        provenance={"situation": situation.name, "loose pieces cut off by bone": str(dropped)},
    )


def implant(blank: Blank) -> Implant:
    """The implant itself. Raises GeometryError when it would not be closed."""
    material = blank.situation.plan.material.name
    part = Part(one_body(blank.porous), "implant", "implant", material, blank.provenance)
    return Implant(blank.situation, part, blank.axis, blank.feet)


def trial(blank: Blank) -> Part:
    """The same body, solid throughout, for the plastic print. Raises GeometryError when it would not be closed."""
    return Part(one_body(blank.solid), "trial", "trial", "PA12", blank.provenance)


def one_body(solid: Solid) -> Mesh:
    """The largest piece, exactly as STL will hold it, closed cavities filled: powder could never leave them.

    Slivers at the joints make rounding fold the surface; of several ways to thin them out the one that leaves the
    fewest crossings is taken. What remains is for verification to find.
    """
    tries = []
    for tolerance in SLIVER_MM:
        made, crossing = untangled(printable(components(solid.thinned(tolerance, LONGEST_MM))[0]))
        if crossing == 0:
            return made
        tries.append((crossing, made))
    return min(tries, key=lambda one: one[0])[1]


def _foot(end: EndShape, layer: PorousLayer | None, plan: Plan) -> Foot:
    made = layer.depth_mm if layer else 0.0
    return Foot(
        end=end.end,
        endplate=end.endplate,
        insertion=end.insertion,
        domain=layer.domain if layer else None,
        spec=layer.spec if layer else None,
        porous_depth_mm=made,
        wanted_depth_mm=plan.interface.depth_mm,
        contact_lost_mm2=contact_lost_mm2(end),
        notes=layer_notes(layer, plan.interface),
        porous_face=layer.face if layer else "endplate",
    )
