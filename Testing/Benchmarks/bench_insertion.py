"""Seconds and peak memory of the search for a way in, and how both grow with the volume and with the span.

Cases 2 and 1 of the test data: what is proposed is built once; the search then runs for each of its implants in a
process of its own, so that its peak memory is its own, with distances known as they are after a build. Case 2's CT and
labels are resampled to as many voxels as said. Spans: the nominal implants of both cases.

    python Testing/Benchmarks/bench_insertion.py
"""

from __future__ import annotations

import argparse
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bench_design import BENCHES, Bench, ended, test_data

SIZES = (0.5, 1.0, 2.0, 4.0)  # voxels, of those that the case has
# Of all implants of a case, one after the other.
MOST_SECONDS, MOST_GIB = 60.0, 3.0


@dataclass(frozen=True)
class Run:
    """The searches for a case's implants: whether each has a way, seconds of each, and GiB that the process held at
    most (None where the system does not tell)."""

    found: tuple[bool, ...]
    seconds: tuple[float, ...]
    memory_gib: float | None

    @property
    def whole(self) -> float:
        """Seconds of all of them."""
        return sum(self.seconds)


def built(bench: Bench, files: Path, scratch: Path) -> Path:
    """A file with what is proposed for a case and its implants' shapes."""
    from SpinalStrutDesignerLib.build.build import build
    from SpinalStrutDesignerLib.case.read import read_case
    from SpinalStrutDesignerLib.plan.json import plan_to_json
    from SpinalStrutDesignerLib.propose.propose import propose_plan

    case = read_case(files / "ct.nrrd", files / "labels.nrrd", files / "labels.csv")
    plan = propose_plan(case, bench.upper, bench.lower, bench.preset)
    implants = [
        (one.situation.amount_mm, one.part.mesh.vertices, one.part.mesh.faces, [foot.insertion for foot in one.feet])
        for one in build(case, plan).implants
    ]
    out = scratch / f"{bench.preset}.pickle"
    out.write_bytes(pickle.dumps((plan_to_json(plan), implants)))
    return out


def searched(files: Path, design: Path) -> None:
    """Tells of each implant of a design whether it has a way, and the seconds of its search, one a line."""
    from LatticeGeneratorLib.mesh.mesh import Mesh, Part
    from SpinalStrutDesignerLib.build.design import Foot, Implant
    from SpinalStrutDesignerLib.build.situation import situation
    from SpinalStrutDesignerLib.case.read import read_case
    from SpinalStrutDesignerLib.plan.curve import axis_curve
    from SpinalStrutDesignerLib.plan.json import plan_from_json
    from SpinalStrutDesignerLib.propose.insertion import find_way

    case = read_case(files / "ct.nrrd", files / "labels.nrrd", files / "labels.csv")
    for structure in case.structures:
        _ = structure.mask.field
    text, implants = pickle.loads(design.read_bytes())
    plan, begin = plan_from_json(text), 0
    for amount_mm, vertices, faces, ways in implants:
        place = situation(case, plan, amount_mm)
        ends = (("upper", place.upper, ways[0]), ("lower", place.lower, ways[1]))
        feet = tuple(Foot(end, plate, way, None, None, 0.0, 0.0, 0.0) for end, plate, way in ends)
        axis = axis_curve(place.plan.axis, place.plan.section)
        implant = Implant(place, Part(Mesh(vertices, faces), place.name), axis, feet)
        start = time.perf_counter()
        search = find_way(implant, begin)
        begin = max(begin, search.allowance)
        print(int(search.way is not None), time.perf_counter() - start, flush=True)


def run(files: Path, design: Path) -> Run:
    """The searches in a process of their own."""
    command = [sys.executable, __file__, "--files", str(files), "--design", str(design)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    lines = [line.split() for line in process.stdout]
    code, memory = ended(process)
    if code:
        raise SystemExit(f"the search for {files.name} ended with {code}")
    return Run(tuple(bool(int(found)) for found, _ in lines), tuple(float(s) for _, s in lines), memory)


def resampled(files: Path, size: float, out: Path) -> Path:
    """A case's CT and labels with so many times their voxels."""
    out.mkdir()
    for name, interpolator in (("ct.nrrd", sitk.sitkLinear), ("labels.nrrd", sitk.sitkNearestNeighbor)):
        image = sitk.ReadImage(str(files / name))
        step = np.array(image.GetSpacing()) * size ** (-1.0 / 3.0)
        count = np.floor((np.array(image.GetSize()) - 1) * np.array(image.GetSpacing()) / step).astype(int) + 1
        grid = ([int(n) for n in count], sitk.Transform(), interpolator, image.GetOrigin(), step.tolist())
        sitk.WriteImage(sitk.Resample(image, *grid, image.GetDirection()), str(out / name))
    (out / "labels.csv").write_bytes((files / "labels.csv").read_bytes())
    return out


def told(name: str, done: Run) -> str:
    """A run on one line, with its limits."""
    each = "  ".join(f"{s:5.1f}{'' if way else ' no way'}" for way, s in zip(done.found, done.seconds))
    memory = "  not told" if done.memory_gib is None else f"{done.memory_gib:6.2f} GiB"
    well = done.whole <= MOST_SECONDS and (done.memory_gib is None or done.memory_gib <= MOST_GIB)
    kept = "within" if well else "OVER"
    return f"ways of {name:14} {done.whole:6.1f} s {memory}  ({each})  {kept} {MOST_SECONDS:g} s and {MOST_GIB:g} GiB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--design", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.design:
        searched(arguments.files, arguments.design)
        return 0
    data = test_data()
    if data is None:
        print("no test data here: set SPINAL_STRUT_DATA to its folder")
        return 0
    voxels, seconds, spans = [], [], {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for bench in (BENCHES["2"], BENCHES["1"]):
            files = data / "synthetic" / str(bench.folder)
            design = built(bench, files, scratch)
            done = run(files, design)
            spans[bench.name] = done.seconds[0]
            print(told(bench.name, done), flush=True)
            for size in SIZES if bench.name == "case 2" else ():
                one = run(resampled(files, size, scratch / f"{bench.preset}_{size:g}"), design)
                voxels.append(size)
                seconds.append(one.whole)
                print(told(f"{bench.name}, {size:g} x", one), flush=True)
    exponent, _ = np.polyfit(np.log(voxels), np.log(seconds), 1)
    print(f"ways: seconds go with the number of voxels to the power {exponent:.2f}")
    print("ways: nominal implants " + ", ".join(f"of {name} {s:.1f} s" for name, s in spans.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
