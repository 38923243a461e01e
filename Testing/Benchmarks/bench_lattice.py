"""Our lattice against its peers on the same block in the same run: seconds, ratios, peak memory, and what was made.

Each is made in a process of its own, so that its peak memory is its own; `lattice_work` says what is made and how.
After that: whether time goes with volume and memory does not, up to 200 cm³; and joining a lattice to a solid and
cutting holes, against trimesh.

    python Testing/Benchmarks/bench_lattice.py [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

import lattice_growth
import lattice_join
import lattice_work

TITLES = {
    "ours": "ours, with numba",
    "bundled": "ours, Slicer's libraries",
    "scaffolder": "PyScaffolder",
    "picogk": "PicoGK (picopie)",
}
# Ratios that are asked for: work, peer, ours, how many times as fast at least.
ASKED = (
    ("W1", "scaffolder", "bundled", 20.0),
    ("W1", "picogk", "bundled", 1.0),
    ("W1", "scaffolder", "ours", 50.0),
    ("W1", "picogk", "ours", 3.0),
    ("W2", "scaffolder", "bundled", 35.0),
    ("W2", "scaffolder", "ours", 100.0),
)
# MiB that our own may take beyond its output: in W1 with it, in W2 without.
MOST_MIB = {"W1": 250.0, "W2": 600.0}


def one(command: list[str]) -> dict[str, float | int | str]:
    """What a new process measured."""
    done = subprocess.run([sys.executable, __file__, *command], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(work: str, runs: int) -> dict[str, float]:
    """Prints the makers of a work and returns their median seconds. PyScaffolder makes W2 once: it takes minutes."""
    medians = {}
    for maker, title in TITLES.items():
        number = 1 if (work, maker) == ("W2", "scaffolder") else runs
        results = [one(["--one", work, maker]) for _ in range(number)]
        middle = sorted(results, key=lambda result: float(result["seconds"]))[len(results) // 2]
        medians[maker] = statistics.median(float(result["seconds"]) for result in results)
        print(
            f"{work} {title:25} {medians[maker]:7.2f} s {middle['memory']:6.0f} MiB ({middle['output']:.0f} of output) "
            f"{middle['triangles']:10,} triangles {100 * float(middle['porosity']):.2f} % "
            f"in {middle['pieces']} pieces, {middle['fault']}",
            flush=True,
        )
        if maker in ("ours", "bundled"):
            beyond = float(middle["memory"]) - (float(middle["output"]) if work == "W2" else 0.0)
            verdict = "holds" if beyond <= MOST_MIB[work] else "DOES NOT HOLD"
            print(f"   memory {beyond:.0f} MiB, at most {MOST_MIB[work]:.0f}: {verdict}")
    return medians


def ratios(medians: dict[str, dict[str, float]]) -> None:
    """Prints the ratios that are asked for."""
    for work, peer, own, least in ASKED:
        ratio = medians[work][peer] / medians[work][own]
        verdict = "holds" if ratio >= least else "DOES NOT HOLD"
        print(f"{work} {TITLES[own]:25} {ratio:6.1f} times as fast as {TITLES[peer]}, at least {least:g}: {verdict}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="of each, of which the median is printed")
    parser.add_argument("--one", nargs=2, metavar=("WORK", "MAKER"), help=argparse.SUPPRESS)
    parser.add_argument("--grow", type=float, metavar="CM3", help=argparse.SUPPRESS)
    parser.add_argument("--join", choices=sorted(lattice_join.MAKERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(lattice_work.measured(*options.one)))
    elif options.grow:
        print(json.dumps(lattice_growth.measured(options.grow)))
    elif options.join:
        print(json.dumps(lattice_join.measured(options.join)))
    else:
        ratios({work: compare(work, options.runs) for work in lattice_work.SIZES_MM})
        lattice_growth.show([one(["--grow", str(volume)]) for volume in lattice_growth.VOLUMES_CM3])
        lattice_join.show(
            {maker: [one(["--join", maker]) for _ in range(options.runs)] for maker in lattice_join.MAKERS}
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
