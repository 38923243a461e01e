"""Seconds and peak memory from a bare CT to vertebrae, keep-outs and endplates, and how both grow with the volume.

Case 1 of the test data (C6 to T11), with one seed a docking level, through the command that a user runs; its CT is
resampled to as many voxels as said, and to the largest that is promised, all of it within reach of the seeds. Each run
is a process of its own, so that its peak memory is its own.

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
LARGEST, LARGEST_GIB = (512, 512, 600), 4.0


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
    return on_grid(ct, [int(n) for n in count], step)


def largest(ct: sitk.Image) -> sitk.Image:
    """What the CT shows in the most voxels that are promised."""
    step = (np.array(ct.GetSize()) - 1) * np.array(ct.GetSpacing()) / (np.array(LARGEST) - 1)
    return on_grid(ct, list(LARGEST), step)


def on_grid(ct: sitk.Image, count: list[int], step: np.ndarray) -> sitk.Image:
    """The CT in so many voxels, (3,) step mm apart."""
    return sitk.Resample(
        ct, count, sitk.Transform(), sitk.sitkLinear, ct.GetOrigin(), step.tolist(), ct.GetDirection(), -1000.0,
        sitk.sitkInt16,
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


def run(image: sitk.Image, seeds: list[str], scratch: Path) -> Run:
    """What is needed for a CT."""
    file = scratch / "ct.nrrd"
    sitk.WriteImage(image, str(file))
    return Run(int(np.prod(image.GetSize())), *found(file, seeds))


def verdict(done: Run, seconds: float, gib: float, limits: str) -> str:
    """Whether a run kept its limits."""
    well = done.seconds <= seconds and (done.memory_gib is None or done.memory_gib <= gib)
    return f"  {'within' if well else 'OVER'} {limits}"


def tell(done: Run, words: str) -> None:
    """A line for a run."""
    held = "not told" if done.memory_gib is None else f"{done.memory_gib:5.2f} GiB"
    print(f"anatomy {done.voxels / 1e6:6.1f} million voxels {done.seconds:6.1f} s {held}{words}", flush=True)


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
            runs.append(run(ct if size == 1.0 else resampled(ct, size), seeds, Path(scratch)))
            limits = f"{MOST_SECONDS:g} s and {MOST_GIB:g} GiB"
            tell(runs[-1], verdict(runs[-1], MOST_SECONDS, MOST_GIB, limits) if size == 1.0 else "")
        most = run(largest(ct), seeds, Path(scratch))
        tell(most, verdict(most, np.inf, LARGEST_GIB, f"{LARGEST_GIB:g} GiB ({'x'.join(str(n) for n in LARGEST)})"))
    exponent, _ = np.polyfit(np.log([run.voxels for run in runs]), np.log([run.seconds for run in runs]), 1)
    print(f"anatomy: seconds go with the number of voxels to the power {exponent:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
