"""Our lattice against PyScaffolder on the same block in the same run: seconds, their ratio, and peak memory.

The block is 20 x 15 x 8 mm with rounded edges, given as a closed mesh; the lattice a skeletal gyroid of 70 % porosity
on a grid of 0.1 mm. Each is made in a process of its own, so that its peak memory is its own.

    python Testing/Benchmarks/bench_lattice.py [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

SIZE_MM = (20.0, 15.0, 8.0)
ROUNDING_MM = 1.0
BLOCK_STEP_MM = 0.2
VOXEL_MM = 0.1
POROSITY = 0.70


def block(size_mm: tuple[float, float, float]):
    """The rounded block as a closed mesh of about 40 thousand triangles."""
    from LatticeGeneratorLib.field.grid import Grid
    from LatticeGeneratorLib.field.isosurface import isosurface

    half = np.array(size_mm) / 2.0
    grid = Grid.around(-half, half, BLOCK_STEP_MM)
    excess = np.abs(grid.points()) - (half - ROUNDING_MM)
    outside = np.linalg.norm(np.maximum(excess, 0.0), axis=1)
    values = outside + np.minimum(excess.max(axis=1), 0.0) - ROUNDING_MM
    return isosurface(values.reshape(grid.array_shape), grid)


def ours() -> dict[str, float | int | str]:
    """Fills the block with LatticeGeneratorLib; a small block first, so that loading compiled loops is not timed."""
    from LatticeGeneratorLib.infill.fill import fill
    from LatticeGeneratorLib.infill.spec import LatticeSpec

    fill(block((4.0, 4.0, 4.0)), LatticeSpec(porosity=POROSITY))
    domain = block(SIZE_MM)

    def make() -> tuple[np.ndarray, np.ndarray]:
        mesh = fill(domain, LatticeSpec(porosity=POROSITY)).mesh
        return mesh.vertices, mesh.faces

    return measured(make, domain.volume)


def scaffolder() -> dict[str, float | int | str]:
    """Fills the block with PyScaffolder at the cell and level that `ours` comes to without a block."""
    import PyScaffolder
    from LatticeGeneratorLib.infill.feasible import cell_size_mm
    from LatticeGeneratorLib.infill.spec import LatticeSpec

    domain = block(SIZE_MM)
    parameter = PyScaffolder.Parameter()
    parameter.surface_name = "gyroid"
    parameter.coff = 2.0 * np.pi / cell_size_mm(LatticeSpec(porosity=POROSITY))
    # Skeletal gyroid: level 1.516 - 3.046 porosity (fitted for 0.60 to 0.75); its metal lies above the level.
    parameter.isolevel = 3.046 * POROSITY - 1.516
    # Its grid size counts along the shortest side.
    parameter.grid_size = round(min(SIZE_MM) / VOXEL_MM)
    parameter.verbose = False

    def make() -> tuple[np.ndarray, np.ndarray]:
        made = PyScaffolder.generate_scaffold(domain.vertices, domain.faces.astype(np.int32), parameter)
        return np.asarray(made.v), np.asarray(made.f)

    return measured(make, domain.volume)


def measured(make: Callable[[], tuple[np.ndarray, np.ndarray]], domain_mm3: float) -> dict[str, float | int | str]:
    """Seconds and peak memory of `make`, and what it made."""
    from LatticeGeneratorLib.mesh.check import closed_manifold_fault, stl_fault
    from LatticeGeneratorLib.mesh.mesh import Mesh

    before = peak_mib()
    start = time.perf_counter()
    vertices, faces = make()
    seconds = time.perf_counter() - start
    memory = peak_mib() - before
    mesh = Mesh(vertices, faces)
    fault = closed_manifold_fault(mesh) or stl_fault(mesh)
    return {
        "seconds": seconds,
        "memory": memory,
        "triangles": len(faces),
        "porosity": 1.0 - abs(mesh.volume) / domain_mm3,
        "fault": fault or "clean",
    }


def peak_mib() -> float:
    """The most memory this process has held so far, MiB; 0 where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024.0 * 1024.0 if sys.platform == "darwin" else 1024.0)


def one(name: str) -> dict[str, float | int | str]:
    """One fill in a new process."""
    command = [sys.executable, __file__, "--one", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="fills of each, of which the median is printed")
    parser.add_argument("--one", choices=["ours", "scaffolder"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    makers = {"ours": ours, "scaffolder": scaffolder}
    if arguments.one:
        print(json.dumps(makers[arguments.one]()))
        return 0
    try:
        import PyScaffolder  # noqa: F401
    except ImportError as error:
        print(f"PyScaffolder cannot be imported ({error}): pip install -e '.[bench]'", file=sys.stderr)
        return 1
    medians = {}
    for name, title in (("ours", "LatticeGeneratorLib"), ("scaffolder", "PyScaffolder")):
        results = [one(name) for _ in range(arguments.runs)]
        middle = sorted(results, key=lambda result: result["seconds"])[len(results) // 2]
        medians[name] = statistics.median(float(result["seconds"]) for result in results)
        print(
            f"{title:20} {medians[name]:7.2f} s  {middle['memory']:6.0f} MiB  {middle['triangles']:9,} triangles  "
            f"porosity {100 * float(middle['porosity']):.1f} %  {middle['fault']}"
        )
    print(f"ratio {medians['scaffolder'] / medians['ours']:.1f}: PyScaffolder's seconds over ours")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
