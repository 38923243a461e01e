"""What the command line says at the end of a release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .release.records import MARK, measured_text
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
