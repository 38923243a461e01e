"""What the technical file is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..build.design import Design
from ..case.model import Case
from ..plan.plan import Plan
from ..verify.finding import Finding
from ..verify.loads import LoadTable
from .tables import by_id, prefix_of


@dataclass(frozen=True, eq=False)
class Dossier:
    """A finished design with its findings.

    loads: as measured_loads gives them; hashes: SHA-256 of the release's other files by their path.
    """

    case: Case
    plan: Plan
    design: Design
    findings: Sequence[Finding]
    loads: Sequence[LoadTable] | str
    hashes: dict[str, str]

    @cached_property
    def by_id(self) -> dict[str, Finding]:
        """Findings by their id."""
        return by_id(self.findings)

    @property
    def variants(self) -> tuple[str, ...]:
        """What the ids of the variants' findings begin with."""
        return tuple(p for p in map(prefix_of, self.design.implants) if p)
