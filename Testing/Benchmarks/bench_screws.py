"""Seconds and peak memory of planning all screws of a case, once its bones are measured; and how the seconds grow with
the number of screws in an end and with the lengths that are made.

Both cases of the test data and the real chest as proposed; growth at the upper end of case 2. Each case is a process of
its own, so that its peak memory is its own.

    python Testing/Benchmarks/bench_screws.py
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from bench_design import ended, test_data

MOST_SECONDS = 20.0  # of a case, all its screws
_CASES = (
    ("case 2", "synthetic/case2_c4_t2", "C4", "T2", "case2"),
    ("case 1", "synthetic/case1_c6_t11", "C6", "T11", "case1"),
    ("chest", "real", "T5", "T9", "case2"),
)
_FILES = {"real": ("lidc0001_spine_ct.nii.gz", "lidc0001_spine_totalseg_labels.nii.gz", "lidc0001_label_names.csv")}
_NUMBERS = (1, 2, 3, 4)


def planned(folder: Path, upper: str, lower: str, preset: str, growth: bool) -> None:
    """What one process does: prints seconds of all screws, then those of growing numbers and catalogues."""
    from SpinalStrutDesignerLib.build.situation import situation
    from SpinalStrutDesignerLib.case.read import read_case
    from SpinalStrutDesignerLib.plan.curve import axis_curve
    from SpinalStrutDesignerLib.propose.propose import propose_plan
    from SpinalStrutDesignerLib.propose.screw_end import planned_at, screw_end
    from SpinalStrutDesignerLib.propose.screw_plan import plan_screws

    ct, labels, roles = _FILES.get(folder.name, ("ct.nrrd", "labels.nrrd", "labels.csv"))
    case = read_case(folder / ct, labels=folder / labels, roles=folder / roles)
    plan = propose_plan(case, upper, lower, preset)
    where = situation(case, plan)
    curve = axis_curve(plan.axis, plan.section)
    for end in ("upper", "lower"):
        screw_end(where, curve, end)  # measures the bones' other endplates
    begun = time.perf_counter()
    plan_screws(case, plan)
    print(time.perf_counter() - begun, flush=True)
    if not growth:
        return
    (screw, *_) = planned_at(plan, plan.upper)
    wide = plan.with_(
        upper_flange=plan.upper_flange.with_(width_mm=30.0),
        screw_rules=plan.screw_rules.with_(least_convergence_deg=0.0, most_convergence_deg=30.0),
    )
    made = screw.type.lengths_mm
    trials = [(number, made) for number in _NUMBERS] + [(1, made[::4]), (1, made[::2]), (1, made)]
    for number, lengths in trials:
        one = screw.with_(type=screw.type.with_(lengths_mm=lengths), length_mm=lengths[0], locked=False)
        begun = time.perf_counter()
        _plan(situation(case, wide.with_(screws=(one,) * number)), "upper")
        print(number, len(lengths), time.perf_counter() - begun, flush=True)


def _plan(where, end) -> None:  # type: ignore[no-untyped-def]
    from SpinalStrutDesignerLib.errors import PlanError
    from SpinalStrutDesignerLib.propose.screw_plan import planned_end

    try:
        planned_end(where, end)
    except PlanError as error:
        print(f"refused: {error}", file=sys.stderr, flush=True)


def run(folder: Path, upper: str, lower: str, preset: str, growth: bool) -> tuple[list[str], float | None]:
    """The lines that a process of its own prints, and GiB held at most."""
    command = [sys.executable, __file__, str(folder), upper, lower, preset, *(["growth"] if growth else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    code, memory = ended(process)
    if code != 0:
        raise SystemExit(f"{upper} to {lower}: ended with {code}")
    return lines, memory


def _power(sizes: list[float], seconds: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main() -> int:
    """Measures, and judges every case."""
    data = test_data()
    if data is None:
        print("no test data here: set SPINAL_STRUT_DATA to its folder")
        return 0
    kept = True
    for name, folder, upper, lower, preset in _CASES:
        growth = name == "case 2"
        (first, *lines), memory = run(data / folder, upper, lower, preset, growth)
        seconds = float(first)
        kept &= seconds <= MOST_SECONDS
        held = "memory not told" if memory is None else f"{memory:.2f} GiB with the case"
        words = "within" if seconds <= MOST_SECONDS else "OVER"
        print(f"screws {name}: {seconds:6.1f} s, {held}  {words} {MOST_SECONDS:g} s", flush=True)
        if growth:
            grown = [tuple(float(word) for word in line.split()) for line in lines]
            for number, lengths, took in grown:
                print(f"screws {name}: {number:.0f} in an end of {lengths:.0f} lengths {took:6.1f} s")
            numbers, lengths = grown[: len(_NUMBERS)], grown[len(_NUMBERS) :]
            power = _power([row[0] for row in numbers], [row[2] for row in numbers])
            print(f"screws: seconds go with the number of screws to the power {power:.2f}")
            power = _power([row[1] for row in lengths], [row[2] for row in lengths])
            print(f"screws: seconds go with the lengths made to the power {power:.2f}")
    return 0 if kept else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        planned(Path(sys.argv[1]), *sys.argv[2:5], growth=len(sys.argv) > 5)
    else:
        raise SystemExit(main())
