"""Docking levels compared: beside the planned span those that dock on the neighbours, each designed and verified."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike

import numpy as np
from LatticeGeneratorLib.progress import Progress, silent

from ..build.build import build
from ..build.outline import polygon_distance
from ..build.situation import situation
from ..case.levels import LEVELS, is_above
from ..case.model import Case, Endplate
from ..case.vertebra import vertebra_structure
from ..errors import CaseError, GeometryError, PlanError
from ..plan.plan import Plan
from ..verify.finding import Finding
from ..verify.verify import verify
from .changes import NOTHING
from .propose import complete_plan

# Of the bone that a foot rests on: past the endplate and what a thick slice blurs of it. Engineering judgement; verify
# locally.
_BENEATH_MM = np.arange(3.0, 8.1, 0.5)
_STEP_MM = 1.0
# So the titles of clearances begin; and those of structures that may be pushed aside.
_DISTANCE, _DISPLACEMENT = "Distance to ", "Displacement of "
_METAL_HU = 1500.0  # cortex reaches 1500 to 1900 HU; denser is metal or its bloom


@dataclass(frozen=True, eq=False)
class Span:
    """A pair of docking levels. plates: as corrected and posed by the plan, None where fault says why they are not
    there; density_hu: median HU beneath the upper and the lower plate."""

    upper: str
    lower: str
    plates: tuple[Endplate, Endplate] | None
    density_hu: tuple[float, float] | None
    fault: str = ""

    @property
    def name(self) -> str:
        """Such as C4-T2."""
        return f"{self.upper}-{self.lower}"

    @property
    def length_mm(self) -> float | None:
        """From centre to centre of the docking endplates."""
        if self.plates is None:
            return None
        top, bottom = self.plates
        return float(np.linalg.norm(bottom.centre - top.centre))

    @property
    def angle_deg(self) -> float | None:
        """Between the docking endplates, which face each other."""
        if self.plates is None:
            return None
        top, bottom = self.plates
        return float(np.degrees(np.arccos(np.clip(-(top.normal @ bottom.normal), -1.0, 1.0))))


@dataclass(frozen=True, eq=False)
class SpanDesign:
    """A span with the implant proposed for it. plan, findings: of the nominal implant; empty where fault says why there
    is none."""

    span: Span
    plan: Plan | None
    findings: tuple[Finding, ...]
    fault: str = ""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What forbids manufacture."""
        return tuple(finding for finding in self.findings if finding.blocks)

    def value(self, id: str) -> float | None:
        """The measured number of a finding; None where there is none."""
        return next((value for finding, value in self._numbers() if finding.id == id), None)

    @property
    def nearest(self) -> tuple[str, float] | None:
        """Of the structures that a distance is kept from, the nearest, and how far it is in mm."""
        return min(self._titled(_DISTANCE), key=lambda found: found[1], default=None)

    @property
    def most_displaced(self) -> tuple[str, float] | None:
        """Of the structures that may be pushed aside, the one that is farthest, and by how much in mm at rest."""
        return max(self._titled(_DISPLACEMENT), key=lambda found: found[1], default=None)

    @property
    def screw_density_hu(self) -> float | None:
        """Mean HU along the thread of the screw that holds least; None without screws."""
        return min((value for finding, value in self._numbers() if finding.id.endswith(".density")), default=None)

    def _titled(self, begins: str) -> list[tuple[str, float]]:
        """Structure and value of the findings whose title begins so."""
        found = ((f.title.removeprefix(begins), value) for f, value in self._numbers() if f.title.startswith(begins))
        return [(structure.removesuffix(" at rest"), value) for structure, value in found]

    def _numbers(self) -> Iterator[tuple[Finding, float]]:
        return ((finding, finding.value) for finding in self.findings if isinstance(finding.value, float))


def neighbouring_spans(case: Case, start: Plan, reach: int = 1) -> tuple[Span, ...]:
    """The plan's span and those whose ends dock up to `reach` levels farther up or down, from above to below, as the
    plan corrects, poses and resects the case.

    What cannot be docked on (a destroyed body, a level that is not labelled) is no error: the span says why. Raises
    PlanError for a reach below 0.
    """
    if reach < 0:
        raise PlanError(f"reach: {reach} levels; give 0 or more")
    tops, bottoms = (_beside(level, reach, set(case.levels)) for level in (start.upper, start.lower))
    return tuple(_span(case, start, top, bottom) for top in tops for bottom in bottoms if is_above(top, bottom))


def designed_span(
    case: Case, span: Span, start: Plan, progress: Progress = silent, catalogue: str | PathLike[str] | None = None
) -> SpanDesign:
    """The span with a complete implant, proposed from the start's decisions, built and verified. catalogue: a
    hospital's own file of screws.

    Without variants and without waivers, which were given for another design's findings.
    """
    if span.fault:
        return SpanDesign(span, None, (), span.fault)
    try:
        plan = complete_plan(case, _started(start, span.upper, span.lower), catalogue)
        progress("planned", 0.3)
        design = build(case, plan, lambda stage, fraction: progress(stage, 0.3 + 0.4 * fraction))
        findings = verify(case, plan, design, lambda stage, fraction: progress(stage, 0.7 + 0.3 * fraction))
    except (CaseError, PlanError, GeometryError) as error:
        return SpanDesign(span, None, (), str(error))
    return SpanDesign(span, plan, findings)


def _started(start: Plan, upper: str, lower: str) -> Plan:
    """The plan between other levels: screws of levels that are no longer docked on go."""
    screws = tuple(screw for screw in start.screws if screw.level in (upper, lower))
    return start.with_(upper=upper, lower=lower, screws=screws, variants=(), waivers=())


def density_beneath(case: Case, plate: Endplate) -> float:
    """Median HU of the docking bone from 3 to 8 mm beneath its plate, without metal; NaN where there is none.

    Low values foretell subsidence: 153.5 HU along the thread was the cut-off for loosening of screws in women (clinical
    facts), and the thoracic bodies of an osteopenic chest had 139 to 196.
    """
    outline = plate.to_local(plate.outline)[:, :2]
    sides = (np.arange(low, high, _STEP_MM) for low, high in zip(outline.min(axis=0), outline.max(axis=0)))
    plane = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    # Short of the rim, whose cortex is no support.
    plane = plane[polygon_distance(outline, plane) < -2.0]
    local = np.column_stack([np.repeat(plane, len(_BENEATH_MM), axis=0), -np.tile(_BENEATH_MM, len(plane))])
    vertebra, points = vertebra_structure(case, plate.level), plate.to_ras(local)
    points = points[vertebra.distance(points) < 0.0]
    back = np.linalg.inv(vertebra.pose)
    hu = case.ct.sample(points @ back[:3, :3].T + back[:3, 3])
    hu = hu[np.isfinite(hu) & (hu < _METAL_HU)]
    return float(np.median(hu)) if len(hu) else float("nan")


SPAN_COLUMNS = (
    "span", "length mm", "angle deg", "upper HU", "lower HU", "upper contact mm2", "lower contact mm2",
    "upper pressure MPa", "lower pressure MPa", "nearest of those kept clear", "nearest mm",
    "most displaced", "displaced mm", "least screw HU", "fails", "warnings", "not evaluated", "forbids manufacture",
)  # fmt: skip
"""Of the table of spans."""


def span_rows(designs: Iterable[SpanDesign]) -> Iterator[tuple[str, ...]]:
    """Each span under `SPAN_COLUMNS`; what there is not is told so."""
    for made in designs:
        span, near, displaced = made.span, made.nearest, made.most_displaced
        density = span.density_hu or (None, None)
        counts = [sum(f.verdict == verdict for f in made.findings) for verdict in ("fail", "warn", "not_evaluated")]
        yield (
            span.name,
            _told(span.length_mm),
            _told(span.angle_deg),
            *(_told(value, 0) for value in density),
            *(_told(made.value(f"fit.{end}.contact"), 0) for end in ("upper", "lower")),
            *(_told(made.value(f"fit.{end}.pressure"), 2) for end in ("upper", "lower")),
            *((near[0], _told(near[1])) if near else (NOTHING, NOTHING)),
            *((displaced[0], _told(displaced[1])) if displaced else (NOTHING, NOTHING)),
            _told(made.screw_density_hu, 0),
            *(str(count) if made.plan else NOTHING for count in counts),
            made.fault or "; ".join(finding.id for finding in made.blocking) or "nothing",
        )


def spans_table(designs: Iterable[SpanDesign]) -> str:
    """The spans as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(SPAN_COLUMNS)
    table.writerows(span_rows(designs))
    return text.getvalue()


def span_lines(designs: Iterable[SpanDesign]) -> Iterator[str]:
    """The spans in words, a paragraph each."""
    for row in span_rows(designs):
        told = dict(zip(SPAN_COLUMNS, row))
        yield f"{row[0]}: " + ", ".join(f"{name} {told[name]}" for name in SPAN_COLUMNS[1:-4] if told[name] != NOTHING)
        if told["fails"] != NOTHING:
            yield "  " + ", ".join(f"{told[name]} {name}" for name in SPAN_COLUMNS[-4:-1])
        yield f"  forbids manufacture: {row[-1]}"


def _told(value: float | None, digits: int = 1) -> str:
    return NOTHING if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def _beside(level: str, reach: int, labelled: set[str]) -> tuple[str, ...]:
    """The level and those beside it, T13 and L6 only where the case has them."""
    order = [name for name in LEVELS if name in labelled or name == level or name not in ("T13", "L6")]
    at = order.index(level)
    return tuple(order[max(at - reach, 0) : at + reach + 1])


def _span(case: Case, start: Plan, upper: str, lower: str) -> Span:
    try:
        where = situation(case, _started(start, upper, lower))
    except (CaseError, PlanError) as error:
        return Span(upper, lower, None, None, str(error))
    plates = where.upper, where.lower
    return Span(upper, lower, plates, (density_beneath(where.case, plates[0]), density_beneath(where.case, plates[1])))
