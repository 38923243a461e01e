"""Seconds and peak memory from a bare CT to vertebrae, keep-outs and endplates, and how both grow with the volume.

Case 1 of the test data (C6 to T11), with one seed a docking level, through the command that a user runs; its CT is
resampled to as many voxels as said. Each run is a process of its own, so that its peak memory is its own.

    python Testing/Benchmarks/bench_anatomy.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bench_design import ended, test_data

SIZES = (0.5, 1.0, 2.0, 4.0)  # voxels, of those that the case has
SEEDS = ("C6", "T11")
# Asked for case 1 as it is.
MOST_SECONDS, MOST_GIB = 60.0, 3.0


@dataclass(frozen=True)
class Run:
    """One CT: its voxels, and what was needed for it. memory_gib: None where the system does not tell."""

    voxels: int
    seconds: float
    memory_gib: float | None


def resampled(ct: sitk.Image, size: float) -> sitk.Image:
    """The CT with so many times its voxels."""
    step = np.array(ct.GetSpacing()) * size ** (-1.0 / 3.0)
    count = np.floor((np.array(ct.GetSize()) - 1) * np.array(ct.GetSpacing()) / step).astype(int) + 1
    return sitk.Resample(
        ct, [int(n) for n in count], sitk.Transform(), sitk.sitkLinear, ct.GetOrigin(), step.tolist(),
        ct.GetDirection(), -1000.0, sitk.sitkInt16,
    )  # fmt: skip


def seeds_of(truth: Path) -> list[str]:
    """A seed in the middle of each docking vertebra's body, RAS mm (the truth is LPS)."""
    vertebrae = json.loads(truth.read_text(encoding="utf-8"))["vertebrae"]
    places = {level: np.array(vertebrae[level]["body_centre"]) * [-1.0, -1.0, 1.0] for level in SEEDS}
    return [f"--seed={level}={','.join(f'{x:.2f}' for x in place)}" for level, place in places.items()]


def found(ct: Path, seeds: list[str]) -> tuple[float, float | None]:
    """Seconds and GiB of the command that finds and tells all of it."""
    command = [sys.executable, "-m", "SpinalStrutDesignerLib", "inspect", str(ct), *seeds]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--progress", "json"], stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    last = [json.loads(line) for line in process.stdout][-1]
    _, memory = ended(process)
    if "result" not in last:
        raise SystemExit(last["error"]["message"])
    return time.perf_counter() - start, memory


def main() -> int:
    data = test_data()
    if data is None:
        print("no test data here: set SPINAL_STRUT_DATA to its folder")
        return 0
    folder = data / "synthetic" / "case1_c6_t11"
    ct, seeds = sitk.ReadImage(str(folder / "ct.nrrd")), seeds_of(folder / "truth.json")
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as scratch:
        for size in SIZES:
            image = ct if size == 1.0 else resampled(ct, size)
            file = Path(scratch) / "ct.nrrd"
            sitk.WriteImage(image, str(file))
            seconds, memory = found(file, seeds)
            runs.append(Run(int(np.prod(image.GetSize())), seconds, memory))
            held = "not told" if memory is None else f"{memory:5.2f} GiB"
            verdict = ""
            if size == 1.0:
                well = seconds <= MOST_SECONDS and (memory is None or memory <= MOST_GIB)
                verdict = f"  {'within' if well else 'OVER'} {MOST_SECONDS:g} s and {MOST_GIB:g} GiB"
            print(f"anatomy {runs[-1].voxels / 1e6:6.1f} million voxels {seconds:6.1f} s {held}{verdict}", flush=True)
    exponent, _ = np.polyfit(np.log([run.voxels for run in runs]), np.log([run.seconds for run in runs]), 1)
    print(f"anatomy: seconds go with the number of voxels to the power {exponent:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
