"""What a build makes: implants in their situations, and every part that leaves the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.mesh import Mesh, Part

from ..case.model import Case, Endplate
from ..case.motion import Stretch
from ..plan.curve import AxisCurve
from ..plan.plan import Plan
from .mark import Mark
from .sleeves import Sleeve

End = Literal["upper", "lower"]
Face = Literal["endplate", "flange"]


@dataclass(frozen=True, eq=False)
class Situation:
    """An implant's surroundings: the case as posed and resected (and its lower block moved for a variant), and the
    plan that belongs to it (axis lengthened, lower screws moved). stretch: how a variant's span grows, None for the
    nominal implant."""

    name: str
    amount_mm: float
    case: Case
    plan: Plan
    upper: Endplate
    lower: Endplate
    stretch: Stretch | None = None

    @property
    def middle(self) -> np.ndarray:
        """(3,) RAS mm, halfway between the docking endplates: what an implant turns about on its way in."""
        half: np.ndarray = 0.5 * (self.upper.centre + self.lower.centre)
        return half

    def moved(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) RAS mm of the nominal implant come to lie in this situation."""
        return points if self.stretch is None else self.stretch.moved(points)


@dataclass(frozen=True, eq=False)
class Foot:
    """A foot as made. domain: the closed region given to the lattice, trimmed at its face to the bone.

    porous_face: what that face lies on: the endplate or, where a tongue is too thin, the bone under the flange.
    contact_lost_mm2: plate area inside the footprint that undercut removal took away.
    """

    end: End
    endplate: Endplate
    insertion: np.ndarray
    domain: Mesh | None
    spec: LatticeSpec | None
    porous_depth_mm: float
    wanted_depth_mm: float
    contact_lost_mm2: float
    notes: tuple[str, ...] = ()
    porous_face: Face = "endplate"


@dataclass(frozen=True)
class Relief:
    """What was taken off an implant so that bone lets it pass on its way in.

    depth_mm: how deep at most, and place: where, RAS mm; contact_mm2: plate area over which faces at the fit gap were
    lowered.
    """

    depth_mm: float
    volume_mm3: float
    contact_mm2: float
    place: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Implant:
    """One implant (nominal or variant) as made, with what it was made for. relief: None where nothing was taken off for
    its way in; printed: the same with milling stock in its screw holes, None where nothing is to be milled."""

    situation: Situation
    part: Part
    axis: AxisCurve
    feet: tuple[Foot, Foot]
    relief: Relief | None = None
    printed: Part | None = None


@dataclass(frozen=True, eq=False)
class DrillGuide:
    """A drill guide as made, at its seat in the nominal situation. insertion: (3,) unit RAS, the way in that it slides
    along; zones: (n, 3) RAS, the middles of its contact zones, on what it rests on."""

    part: Part
    end: End
    sleeves: tuple[Sleeve, ...]
    insertion: np.ndarray
    zones: np.ndarray


@dataclass(frozen=True, eq=False)
class Design:
    """Everything built from one case and plan. implants[0] is the nominal one.

    others: docking guides, trials and the bone model; guides: drill guides; unmade: (name, why not) of guides that the
    plan asks for and that cannot be made; marks: what is written on parts, or why it is not.
    """

    implants: tuple[Implant, ...]
    others: tuple[Part, ...]
    digest: str
    versions: dict[str, str] = field(default_factory=dict)
    guides: tuple[DrillGuide, ...] = ()
    unmade: tuple[tuple[str, str], ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part: the implants, as finished and as printed, then drill guides, docking guides, trials and the bone
        model."""
        printed = tuple(i.printed for i in self.implants if i.printed is not None)
        return tuple(i.part for i in self.implants) + printed + tuple(g.part for g in self.guides) + self.others
