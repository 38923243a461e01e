"""One finished implant with what several checks measure on it, each evaluated once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
from LatticeGeneratorLib.mesh.boolean import common_volumes
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.samples import INTERIOR_STEP_MM, Nearest, Samples, body_samples

from ..build.design import Foot, Implant, Situation
from ..case.model import Case, Structure
from ..plan.plan import Plan
from ..threads import kept, made_once
from .finding import Finding, Verdict
from .patches import Patches
from .raster import interior_points

T = TypeVar("T")
Place = np.ndarray | tuple[float, float, float] | None


class Situated(ABC):
    """What a plan means in its situation. What needs no finished implant is measured on it."""

    @property
    @abstractmethod
    def situation(self) -> Situation:
        """The surroundings."""

    @property
    def case(self) -> Case:
        """The case as posed, resected and, for a variant, moved."""
        return self.situation.case

    @property
    def plan(self) -> Plan:
        """The plan that belongs to this situation."""
        return self.situation.plan

    @property
    def prefix(self) -> str:
        """What the findings' ids begin with: nothing for the nominal implant, else its name."""
        return _prefix(self.situation)

    @property
    def finding(self) -> Callable[..., Finding]:
        """Makes a finding of this implant: `finding_in` its situation."""
        return partial(finding_in, self.situation)


@dataclass(frozen=True, eq=False)
class Planned(Situated):
    """A plan in its situation, before anything is made."""

    where: Situation

    @property
    def situation(self) -> Situation:
        """The surroundings."""
        return self.where


@dataclass(frozen=True, eq=False)
class Measured(Situated):
    """An implant as made, in its own situation; nominal: the implant that a variant was made from."""

    implant: Implant
    nominal: Measured | None = None
    _made: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def mesh(self) -> Mesh:
        """The finished mesh."""
        return self.implant.part.mesh

    @property
    def situation(self) -> Situation:
        """The implant's own surroundings."""
        return self.implant.situation

    @made_once
    def samples(self) -> Samples:
        """Points on and in the implant."""
        return body_samples(self.mesh, self.inside)

    @made_once
    def inside(self) -> np.ndarray:
        """(n, 3) RAS mm: points in the implant, half a millimetre apart."""
        return interior_points(self.mesh, INTERIOR_STEP_MM)

    @made_once
    def patches(self) -> Patches:
        """The finished mesh in patches."""
        return Patches.of(self.mesh)

    @made_once
    def porosities(self) -> dict[str, float]:
        """Share of void, 0 to 1, in the porous layer of each end that has one; exact for the meshes as given."""
        domains: dict[str, Mesh] = {foot.end: foot.domain for foot in self.implant.feet if foot.domain is not None}
        metal = common_volumes(self.mesh, list(domains.values()))
        return {end: 1.0 - shared / domain.volume for (end, domain), shared in zip(domains.items(), metal)}

    def foot(self, end: str) -> Foot:
        """The foot of an end, "upper" or "lower"."""
        return next(foot for foot in self.implant.feet if foot.end == end)

    def nearest(self, structure: Structure) -> Nearest:
        """Least distance of the implant to a structure, negative inside, and where; evaluated once."""
        return self.once(f"nearest {structure.name}", lambda: self.samples.least(structure.distance))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What make() gives, made at the first call for this name: checks share what is costly to measure."""
        return kept(self, self._made, name, make)


def finding_in(
    situation: Situation,
    id: str,
    title: str,
    value: float | str | None,
    unit: str,
    limit: str,
    verdict: Verdict,
    basis: str,
    location: Place = None,
    critical: bool = False,
    detail: str = "",
) -> Finding:
    """A finding in a situation: variants' ids carry their name, numbers are rounded to 1e-6."""
    if isinstance(value, (float, np.floating)):
        value = round(float(value), 6)
    place = None
    if location is not None:
        x, y, z = (round(float(v), 3) for v in location)
        place = (x, y, z)
    return Finding(
        id=_prefix(situation) + id,
        title=f"{title} ({situation.name})" if situation.amount_mm else title,
        value=value,
        unit=unit,
        limit=limit,
        verdict=verdict,
        basis=basis,
        location=place,
        critical=critical,
        detail=detail,
    )


def _prefix(situation: Situation) -> str:
    return f"{situation.name}." if situation.amount_mm else ""


def graded(value: float, passes: float, warns: float) -> Verdict:
    """pass, warn or fail of a value that should be small (passes < warns) or large (passes > warns)."""
    if passes <= warns:
        return "pass" if value <= passes else "warn" if value <= warns else "fail"
    return "pass" if value >= passes else "warn" if value >= warns else "fail"
