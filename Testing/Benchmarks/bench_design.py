"""Seconds per stage and peak memory of whole designs, from the CT's files to a complete release folder.

Case 2 of the test data (C4 to T2) by default, with `--case 1` the long case (C6 to T11); where the test data is absent,
and with `--case phantom`, the built-in phantom, written to files first. Each design runs in a process of its own, the
same command that a user runs, so that its peak memory is its own.

    python Testing/Benchmarks/bench_design.py [--case 1 2 phantom] [--runs 1]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

STAGES = ("reading", "planning", "building", "verifying", "releasing")
GIB = 1024.0**3


@dataclass(frozen=True)
class Bench:
    """A design to be timed. folder: of its files in the test data, None for the phantom; limits: of the design."""

    name: str
    folder: str | None
    upper: str
    lower: str
    preset: str
    seconds: float
    memory_gib: float


BENCHES = {
    "2": Bench("case 2", "case2_c4_t2", "C4", "T2", "case2", 60.0, 3.0),
    "1": Bench("case 1", "case1_c6_t11", "C6", "T11", "case1", 120.0, 3.0),
    "phantom": Bench("phantom", None, "C4", "T2", "case2", 60.0, 3.0),
}


@dataclass(frozen=True)
class Run:
    """One design: seconds of each stage and from the process's start to its end, its exit code, and GiB held at most
    (None where the system does not say)."""

    stages: dict[str, float]
    seconds: float
    exit_code: int
    memory_gib: float | None


def test_data() -> Path | None:
    """The folder of the test data, None where there is none."""
    given = os.environ.get("SPINAL_STRUT_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return folder if folder.is_dir() else None


def files_of(bench: Bench, scratch: Path) -> Path:
    """The folder with the CT, its labels and its role table."""
    data = test_data()
    if bench.folder is None or data is None:
        from SpinalStrutDesignerLib.case.phantom import write_phantom

        write_phantom(scratch / "phantom")
        return scratch / "phantom"
    return data / "synthetic" / bench.folder


def design(bench: Bench, files: Path, out: Path) -> Run:
    """Runs the command in a process of its own."""
    command = [sys.executable, "-m", "SpinalStrutDesignerLib", "design", str(files / "ct.nrrd")]
    command += ["--labels", str(files / "labels.nrrd"), "--roles", str(files / "labels.csv")]
    command += ["--from", bench.upper, "--to", bench.lower, "--preset", bench.preset]
    command += ["--out", str(out), "--progress", "json"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    lines = [json.loads(line) for line in process.stdout]
    code, memory_gib = ended(process)
    seconds = time.perf_counter() - start
    if "result" not in lines[-1]:
        raise SystemExit(f"{bench.name}: {lines[-1]['error']['message']}")
    return Run(lines[-1]["result"]["seconds"], seconds, code, memory_gib)


def ended(process: subprocess.Popen[str]) -> tuple[int, float | None]:
    """Exit code of a process that has closed its output, and GiB that it or one of its own children held at most."""
    if not hasattr(os, "wait4"):
        return process.wait(), None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0) / GIB


def told(bench: Bench, run: Run) -> str:
    """A run on one line, with its limits."""
    stages = "  ".join(f"{name} {run.stages[name]:5.1f}" for name in STAGES)
    memory = "  not told" if run.memory_gib is None else f"{run.memory_gib:6.2f} GiB"
    slow = run.seconds > bench.seconds
    large = run.memory_gib is not None and run.memory_gib > bench.memory_gib
    kept = "within" if not slow and not large else "OVER"
    return (
        f"{bench.name:8} {run.seconds:6.1f} s {memory}  ({stages})  exit {run.exit_code}; "
        f"{kept} {bench.seconds:g} s and {bench.memory_gib:g} GiB"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=list(BENCHES), default=["2"], help="which designs to time")
    parser.add_argument("--runs", type=int, default=1, help="runs of each, of which the quickest is printed")
    arguments = parser.parse_args()
    cases = arguments.case
    if test_data() is None and cases != ["phantom"]:
        print("no test data here: the phantom is designed instead (set SPINAL_STRUT_DATA for the cases)")
        cases = ["phantom"]
    with tempfile.TemporaryDirectory() as folder:
        for bench in (BENCHES[name] for name in cases):
            files = files_of(bench, Path(folder))
            runs = [design(bench, files, Path(folder) / "out") for _ in range(arguments.runs)]
            print(told(bench, min(runs, key=lambda run: run.seconds)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
