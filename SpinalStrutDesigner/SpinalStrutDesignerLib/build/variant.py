"""A variant: the nominal implant with a longer span between its feet."""

from __future__ import annotations

from dataclasses import replace

from LatticeGeneratorLib.mesh.boolean import printable
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.untangle import untangled

from ..case.model import Endplate
from ..plan.curve import axis_curve
from .design import Foot, Implant, Situation


def lengthened_implant(nominal: Implant, situation: Situation) -> Implant:
    """The nominal implant in a variant's situation: its lower end moved with the docking level, its strut drawn out in
    between, so that both ends stay what they are to the last strut of their lattices.

    Only lengths along the chord change: a strut that leans from the chord by an angle a keeps its width and depth to
    within the strain times sin² a.
    """
    upper, lower = nominal.feet
    return Implant(
        situation=situation,
        part=lengthened_part(nominal.part, situation),
        axis=axis_curve(situation.plan.axis, situation.plan.section),
        feet=(_foot(upper, situation.upper, situation), _foot(lower, situation.lower, situation)),
    )


def lengthened_part(nominal: Part, situation: Situation) -> Part:
    """A part of the nominal implant's shape in a variant's situation, exactly as STL will hold it.

    Its faces stay flat: where the span grows their edges must be short.
    """
    # Other roundings may let slivers fold: what that leaves is for verification to find.
    body, _ = untangled(printable(_moved(nominal.mesh, situation)))
    provenance = {**nominal.provenance, "situation": situation.name}
    return replace(nominal, mesh=body, name=f"{nominal.name}_{situation.name}", provenance=provenance)


def _foot(foot: Foot, plate: Endplate, situation: Situation) -> Foot:
    domain = None if foot.domain is None else _moved(foot.domain, situation)
    return replace(foot, endplate=plate, domain=domain)


def _moved(mesh: Mesh, situation: Situation) -> Mesh:
    return Mesh(situation.moved(mesh.vertices), mesh.faces)
