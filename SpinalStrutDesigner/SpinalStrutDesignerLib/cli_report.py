"""What the command line says at the end: of a release, and of a case that was looked into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .case.levels import LEVELS
from .case.model import Case, Endplate, Face
from .case.vertebra import REMEDY
from .plan.rules import expected_critical
from .release.records import MARK, measured_text, number
from .verify.finding import Finding

_VERDICTS = ("pass", "warn", "fail", "not_evaluated", "waived")


def release_record(
    folder: Path, findings: Sequence[Finding], seconds: Mapping[str, float], exit_code: int
) -> dict[str, Any]:
    """The last JSON line of a design: {"result": …}."""
    return {
        "result": {
            "directory": str(folder),
            "exit_code": exit_code,
            "verdicts": {v: sum(f.verdict == v for f in findings) for v in _VERDICTS},
            "blocking": [f.id for f in findings if f.blocks],
            "seconds": {name: round(s, 2) for name, s in seconds.items()},
        }
    }


def release_lines(folder: Path, findings: Sequence[Finding], seconds: Mapping[str, float]) -> Iterator[str]:
    """Seconds of each stage, the verdicts, what forbids manufacture, and where the files are."""
    yield (
        "seconds: "
        + ", ".join(f"{name} {s:.1f}" for name, s in seconds.items())
        + f"; {sum(seconds.values()):.1f} in all"
    )
    counts = ((v.replace("_", " "), sum(f.verdict == v for f in findings)) for v in _VERDICTS)
    yield "findings: " + ", ".join(f"{n} {v}" for v, n in counts if n)
    blocking = [f for f in findings if f.blocks]
    if blocking:
        yield f"{MARK}:"
    for finding in blocking:
        place = "" if finding.location is None else " at R {:.1f} A {:.1f} S {:.1f}".format(*finding.location)
        yield f"  {finding.id}: {finding.title}: {measured_text(finding)} (limit: {finding.limit}){place}"
    yield f"files: {folder} (start with {folder / 'summary.html'})"


def case_lines(
    case: Case, plates: Sequence[Endplate], faults: Mapping[tuple[str, Face], str], span: tuple[str, str] | None
) -> Iterator[str]:
    """Levels, structures, endplates with their gaps, what is missing for the span, and what is not understood."""
    yield (
        f"{case.name}: {' × '.join(str(n) for n in case.ct.voxels.shape[::-1])} voxels of "
        + " × ".join(number(x) for x in case.ct.spacing)
        + " mm"
    )
    for note in case.quality.notes:
        yield f"  note: {note}"
    yield f"levels: {', '.join(case.levels) or 'none'}"
    yield "structures:"
    for structure in case.structures:
        level = f" ({structure.level})" if structure.level and structure.level != structure.name else ""
        yield f"  {structure.name}{level}: {structure.role}, {structure.mask.volume / 1000.0:.1f} cm³"
    if plates:
        yield "endplates:"
    for plate in plates:
        yield f"  {plate.level} {plate.face}: {plate.width_mm:.1f} × {plate.depth_mm:.1f} mm, {_gap(plate)}"
    yield from _faults(faults)
    yield from _missing(case, span)
    if case.unknown:
        yield f"names with no known meaning, used for nothing: {', '.join(case.unknown)}"


def _faults(faults: Mapping[tuple[str, Face], str]) -> Iterator[str]:
    """A line for each reason why a level's endplates were not found; what holds for both of them is said once."""
    reasons: dict[tuple[str, str], list[Face]] = {}
    for (level, face), fault in faults.items():
        for words in (f"{level} {face} endplate not found: ", f"{level} {face} endplate ", f"{level} "):
            fault = fault.removeprefix(words)
        reasons.setdefault((level, fault.removesuffix(f"; {REMEDY}")), []).append(face)
    if reasons:
        yield "endplates not found (where one stands, correct its label or set it by hand in the plan):"
    for (level, reason), faces in reasons.items():
        yield f"  {level} {' and '.join(faces)}: {reason}"


def _gap(plate: Endplate) -> str:
    if plate.gap_mm is None:
        return "no body stands beside it"
    return f"gap {plate.gap_mm:.1f} mm" + (f" to {plate.neighbour}" if plate.neighbour else "")


def _missing(case: Case, span: tuple[str, str] | None) -> Iterator[str]:
    """Levels and critical structures that a design over the span would need."""
    if not case.levels:
        yield "missing: no vertebra is labelled; name them as C4, vertebrae_C4 or in a role table"
        return
    upper, lower = span or (case.levels[0], case.levels[-1])
    expected = expected_critical(upper, lower)
    between = LEVELS[LEVELS.index(upper) : LEVELS.index(lower) + 1]
    gaps = [level for level in between if level not in case.levels and level not in ("T13", "L6")]
    given = [s.name for s in case.having("keepout_critical", "keepout_soft")]
    wanted = [e.name for e in expected if not e.covered_by(given)]
    if gaps:
        yield f"missing levels from {upper} to {lower}: {', '.join(gaps)}"
    for name in wanted:
        yield f"missing from {upper} to {lower}: {name}; it blocks manufacture until it is labelled or waived by name"
    if not gaps and not wanted:
        yield f"missing from {upper} to {lower}: nothing"
