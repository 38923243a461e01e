"""Seconds from what is measured on the bones (bench_anatomy's part) to a strut's room, its axis and what limits its
section; the peak memory of all of it; and how the seconds grow with the volume and with the span.

Case 1 of the test data (C6 to T11), whose CT and labels are also resampled to as many voxels as said; and spans of
growing length in the intact neck and chest. Each run is a process of its own, so that its peak memory is its own.

    python Testing/Benchmarks/bench_fit.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bench_anatomy import SIZES, resampled
from bench_design import ended, test_data

# Asked for case 1 as it is.
MOST_SECONDS, MOST_GIB = 30.0, 3.0
SPANS = (("C5", "C7"), ("C5", "T2"), ("C4", "T3"), ("C3", "T4"))


@dataclass(frozen=True)
class Run:
    """voxels of the CT, span in mm, seconds, those of measuring the bones before, and GiB held at most (None where
    nothing tells)."""

    voxels: int
    span_mm: float
    seconds: float
    measuring: float
    memory_gib: float | None


def fitted(folder: Path, upper: str, lower: str, preset: str) -> None:
    """What one process does: prints voxels, mm, seconds, and seconds of measuring."""
    from SpinalStrutDesignerLib.build.situation import situation
    from SpinalStrutDesignerLib.case.column import mechanical_axis
    from SpinalStrutDesignerLib.case.read import read_case
    from SpinalStrutDesignerLib.plan.curve import axis_curve
    from SpinalStrutDesignerLib.plan.presets import preset as started
    from SpinalStrutDesignerLib.propose.axis import propose_strut
    from SpinalStrutDesignerLib.propose.free import free_along
    from SpinalStrutDesignerLib.propose.prospect import prospect

    case = read_case(folder / "ct.nrrd", labels=folder / "labels.nrrd", roles=folder / "labels.csv")
    plan = started(preset, upper, lower)
    begun = time.perf_counter()
    where = situation(case, plan)
    mechanical_axis(where.case, where.upper, where.lower)
    measured = time.perf_counter()
    view = prospect(case, plan)
    strut = propose_strut(view.room, plan, *view.ends)
    free_along(view, axis_curve(strut.axis, strut.section, 3.0))
    seconds = time.perf_counter() - measured
    span = float(np.linalg.norm(view.where.lower.centre - view.where.upper.centre))
    print(case.ct.voxels.size, span, seconds, measured - begun)


def run(folder: Path, upper: str, lower: str, preset: str) -> Run:
    """The same in a process of its own."""
    command = [sys.executable, __file__, str(folder), upper, lower, preset]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    words = process.stdout.read().split()
    code, memory = ended(process)
    if code != 0:
        raise SystemExit(f"{upper} to {lower}: ended with {code}")
    return Run(int(words[0]), *(float(word) for word in words[1:4]), memory)


def resized(source: Path, size: float, scratch: Path) -> Path:
    """A case's files with so many times its voxels."""
    if size == 1.0:
        return source
    ct = resampled(sitk.ReadImage(str(source / "ct.nrrd")), size)
    labels = sitk.Resample(
        sitk.ReadImage(str(source / "labels.nrrd")), ct, sitk.Transform(), sitk.sitkNearestNeighbor, 0
    )
    sitk.WriteImage(ct, str(scratch / "ct.nrrd"))
    sitk.WriteImage(labels, str(scratch / "labels.nrrd"))
    (scratch / "labels.csv").write_bytes((source / "labels.csv").read_bytes())
    return scratch


def told(done: Run, words: str = "") -> str:
    """A run on one line."""
    held = "not told" if done.memory_gib is None else f"{done.memory_gib:5.2f} GiB"
    seconds = f"{done.seconds:6.1f} s (measured in {done.measuring:.1f} s)"
    return f"fit {done.voxels / 1e6:6.1f} million voxels, {done.span_mm:5.0f} mm {seconds} {held}{words}"


def exponent(sizes: list[float], seconds: list[float]) -> float:
    """The power of the size with which the seconds go."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main() -> int:
    """Measures, and judges case 1 as it is."""
    data = test_data()
    if data is None:
        print("no test data here: set SPINAL_STRUT_DATA to its folder")
        return 0
    kept, runs = True, []
    case1 = data / "synthetic" / "case1_c6_t11"
    with tempfile.TemporaryDirectory() as scratch:
        for size in SIZES:
            done = run(resized(case1, size, Path(scratch)), "C6", "T11", "case1")
            runs.append(done)
            words = ""
            if size == 1.0:
                kept = done.seconds <= MOST_SECONDS and (done.memory_gib is None or done.memory_gib <= MOST_GIB)
                words = f"  {'within' if kept else 'OVER'} {MOST_SECONDS:g} s and {MOST_GIB:g} GiB"
            print(told(done, words), flush=True)
    power = exponent([done.voxels for done in runs], [done.seconds for done in runs])
    print(f"fit: seconds go with the number of voxels to the power {power:.2f}")
    spans = [run(data / "synthetic" / "intact_c1_t5", upper, lower, "case2") for upper, lower in SPANS]
    for (upper, lower), done in zip(SPANS, spans):
        print(told(done, f"  {upper} to {lower}"), flush=True)
    power = exponent([done.span_mm for done in spans], [done.seconds for done in spans])
    print(f"fit: seconds go with the span to the power {power:.2f}")
    return 0 if kept else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fitted(Path(sys.argv[1]), *sys.argv[2:])
    else:
        raise SystemExit(main())
