"""What the screws of one end meet, gathered once: bone, canal, organs, metal, plates, what lies before their heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..build.bone import LocalField
from ..build.design import End, Situation
from ..build.end import EndShape, bone_in_the_way, end_shape
from ..case.column import column_axes
from ..case.model import Endplate, Face, Structure
from ..errors import CaseError
from ..plan.curve import AxisCurve
from ..plan.plan import Plan, Screw, ScrewType
from ..plan.rules import group_of, rule_for
from ..verify.access import Obstacle, obstacles
from ..verify.plates import kept_from, plate_distance, plate_of
from ..verify.screws import CANAL
from .corridor import least_mm
from .screw_aside import Aside

# A plate's distances are told on a grid of this step, in a block that reaches so far beyond its outline, under it and
# past it, mm: a tenth of a millimetre where its surface is as bent as endplates are.
_STEP_MM, _BESIDE_MM, _UNDER_MM, _PAST_MM = 0.75, 6.0, 9.0, 5.0
_SHIFT_MM = 0.7  # a structure that moves aside as a whole asks for more than the depth at which it is met
_NEAR_MM = 15.0  # of the vertebra's box: what is farther is met by no screw in it


@dataclass(frozen=True, eq=False)
class ScrewEnd:
    """One end of an implant as its screws find it. access: (3,) unit, the way the surgeon looks.

    organs: critical structures with their least distance to a thread in bone; before: what a head keeps from, each
    with the least distance; plates: the faces kept from, with exact distances, and the same on a grid; judged: what
    has been measured of screws.
    """

    where: Situation
    shape: EndShape
    curve: AxisCurve
    docking: Structure
    canal: tuple[Structure, ...]
    organs: tuple[tuple[Structure, float], ...]
    metal: tuple[Structure, ...]
    others: tuple[Structure, ...]
    before: tuple[tuple[Structure, float], ...]
    in_the_way: tuple[Obstacle, ...]
    plates: tuple[tuple[Face, Distance, LocalField], ...]
    access: np.ndarray
    judged: dict[str, Any] = field(default_factory=dict, repr=False)
    _asides: dict[str, Aside] = field(default_factory=dict, repr=False)

    @property
    def plan(self) -> Plan:
        """The plan that the screws belong to."""
        return self.where.plan

    @property
    def plate(self) -> Endplate:
        """The docked endplate."""
        return self.shape.endplate

    @property
    def level(self) -> str:
        """The docking level."""
        return self.plate.level

    @property
    def name(self) -> str:
        """The end in words, as fields of the plan begin: upper or lower."""
        return self.shape.end

    @property
    def outward(self) -> np.ndarray:
        """(3,) unit: out of the flange's face, in the plate's plane."""
        angle = np.deg2rad(self.shape.flange.azimuth_deg if self.shape.flange else 0.0)
        out: np.ndarray = np.sin(angle) * self.plate.right + np.cos(angle) * self.plate.anterior
        return out

    @property
    def beside(self) -> np.ndarray:
        """(3,) unit: along the flange's width."""
        angle = np.deg2rad(self.shape.flange.azimuth_deg if self.shape.flange else 0.0)
        along: np.ndarray = np.cos(angle) * self.plate.right - np.sin(angle) * self.plate.anterior
        return along

    @cached_property
    def canal_distance(self) -> Distance:
        """To the spinal canal's contents."""
        return lambda points: self.where.case.distance(self.canal, points)

    @cached_property
    def metal_distance(self) -> Distance:
        """To metal that is already there."""
        return lambda points: self.where.case.distance(self.metal, points)

    def off_bone(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm that points (n, 3) RAS lie off the bone which takes metal away, its way in swept free."""
        return bone_in_the_way(self.shape, self.plate.to_local(points))

    def aside(self, thing: Obstacle) -> Aside:
        """A mobile structure as drivers meet it, made once."""
        made = self._asides.get(thing.structure.name)
        if made is None:
            made = self._asides[thing.structure.name] = Aside.of(self.where, thing)
        return made

    def tolerant(self) -> ScrewEnd:
        """The same for heads that may come as near as the implant's own rules allow, not only as they pass."""
        return replace(self, before=tuple(_allowed(self.plan, self.before)), judged={})

    def under_mm(self, kind: ScrewType) -> float:
        """From the head's flat top to the end of the metal under its seat, along the screw."""
        return kind.head_radius_mm + self.plan.screw_rules.under_head_mm


def screw_end(where: Situation, curve: AxisCurve, end: End) -> ScrewEnd:
    """What the screws of an end meet. Raises GeometryError where the foot's margins leave no footprint."""
    shape, case, plan = end_shape(where, curve, end), where.case, where.plan
    level = shape.endplate.level
    docking = case.structure(level)
    near = [s for s in case.structures if _close(s, docking)]
    canal = tuple(s for s in case.structures if group_of(s.name) in CANAL)
    plates = []
    for face in kept_from(plan, level):
        try:
            plate = plate_of(where, level, face)
        except CaseError:  # a plate that is not found is told as not evaluated by verification
            continue
        exact = plate_distance(plate)
        plates.append((face, exact, _on_grid(plate, exact)))
    right, anterior, _ = column_axes(where.upper, where.lower)
    return ScrewEnd(
        where=where,
        shape=shape,
        curve=curve,
        docking=docking,
        canal=canal,
        organs=tuple(_organs(plan, near)),
        metal=tuple(s for s in case.having("metal")),
        others=tuple(s for s in near if s.role == "bone" and s.of_column and s.name != docking.name),
        before=tuple(_before(plan, near)),
        in_the_way=obstacles(case, plan),
        plates=tuple(plates),
        access={"anterior": -anterior, "right": -right, "left": right}[shape.foot.approach],
    )


def planned_at(plan: Plan, level: str) -> tuple[Screw, ...]:
    """A plan's screws at a level, in its order."""
    return tuple(screw for screw in plan.screws if screw.level == level)


def _organs(plan: Plan, near: Sequence[Structure]) -> list[tuple[Structure, float]]:
    """As verification judges a thread: a clearance's limit; 0 for what may be displaced."""
    found = []
    for structure in near:
        rule = rule_for(plan, structure.name)
        if structure.role == "keepout_critical" and rule is not None and group_of(structure.name) not in CANAL:
            found.append((structure, rule.limit_mm if rule.kind == "clearance" else 0.0))
    return found


def _before(plan: Plan, near: Sequence[Structure]) -> list[tuple[Structure, float]]:
    """What the implant's own rules pass at, error budget included."""
    needs = [(structure, least_mm(plan, structure, 0.0)) for structure in near if structure.role != "bone"]
    return [(structure, need) for structure, need in needs if need is not None]


def _allowed(plan: Plan, before: Sequence[tuple[Structure, float]]) -> Iterator[tuple[Structure, float]]:
    """What the rules fail below: where they pass at more, and nothing forbids any contact."""
    budget = plan.budget.segmentation_to_print_mm
    for structure, need in before:
        rule = rule_for(plan, "metal" if structure.role == "metal" else structure.name)
        if rule is not None and rule.kind == "displacement" and need < 0.0:
            need = budget + _SHIFT_MM - rule.limit_mm
        yield structure, need


def _on_grid(plate: Endplate, exact: Distance) -> LocalField:
    """An endplate's distances in a block about it; beyond that the border's, which no rule asks about."""
    outline = plate.to_local(plate.outline)[:, :2]
    low = np.array([*(outline.min(axis=0) - _BESIDE_MM), -_UNDER_MM])
    high = np.array([*(outline.max(axis=0) + _BESIDE_MM), _PAST_MM])
    count = np.ceil((high - low) / _STEP_MM).astype(int) + 1
    axes = (low[i] + _STEP_MM * np.arange(count[i]) for i in (2, 1, 0))
    out, anterior, right = np.meshgrid(*axes, indexing="ij")
    points = plate.to_ras(np.column_stack([right.ravel(), anterior.ravel(), out.ravel()]))
    return LocalField(plate, low, _STEP_MM, exact(points).reshape(out.shape))


def _close(one: Structure, other: Structure) -> bool:
    """Whether something is so near to a vertebra that a screw into it can reach it."""
    (low, high), (least, most) = one.box, other.box
    return bool((low <= most + _NEAR_MM).all() and (high >= least - _NEAR_MM).all())
