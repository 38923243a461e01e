"""The work that lattice makers are compared on: the same block, cell, porosity and grid for each, and who makes it.

W1: 20 x 15 x 8 mm, W2: 40 x 30 x 15 mm, blocks with rounded edges given as closed meshes; a gyroid sheet with cells of
1.586 mm and 70 % porosity on a grid of 0.1 mm.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIZES_MM = {"W1": (20.0, 15.0, 8.0), "W2": (40.0, 30.0, 15.0)}
ROUNDING_MM = 1.0
BLOCK_STEP_MM = 0.2
VOXEL_MM = 0.1
CELL_MM = 1.586
POROSITY = 0.70
# |g| below this level is 30 % of space (porosities 0.60 to 0.75: 1.5545 - 1.5577 porosity).
SHEET_LEVEL = 1.5545 - 1.5577 * POROSITY
# PyScaffolder's sheet is its double gyroid; at this level (found by bisection) the porosity of W1 is 70 %.
SCAFFOLDER_LEVEL = 0.88

TOUCHED_GIB = {"W1": 1.5, "W2": 7.0}  # PyScaffolder takes 0.9 and 6.2 GiB

Made = tuple[np.ndarray, np.ndarray]


def block(size_mm: tuple[float, float, float]) -> Any:
    """The rounded block as a closed mesh."""
    from LatticeGeneratorLib.field.grid import Grid
    from LatticeGeneratorLib.field.isosurface import isosurface

    half = np.array(size_mm) / 2.0
    grid = Grid.around(-half, half, BLOCK_STEP_MM)
    excess = np.abs(grid.points()) - (half - ROUNDING_MM)
    outside = np.linalg.norm(np.maximum(excess, 0.0), axis=1)
    values = outside + np.minimum(excess.max(axis=1), 0.0) - ROUNDING_MM
    return isosurface(values.reshape(grid.array_shape), grid)


def ours(domain: Any) -> Callable[[], Made]:
    """Our own: porosity solved, loose pieces removed. A small fill comes first: loading compiled loops is not timed."""
    from LatticeGeneratorLib.infill.fill import fill
    from LatticeGeneratorLib.infill.spec import LatticeSpec
    from LatticeGeneratorLib.printing.printer import NO_LIMITS

    thin = LatticeSpec("gyroid_sheet", POROSITY)
    spec = LatticeSpec("gyroid_sheet", POROSITY, thin.pore_mm * CELL_MM / thin.cell_mm)
    fill(block((4.0, 4.0, 4.0)), spec, printer=NO_LIMITS)

    def make() -> Made:
        mesh = fill(domain, spec, printer=NO_LIMITS).mesh
        return mesh.vertices, mesh.faces

    return make


def bundled(domain: Any) -> Callable[[], Made]:
    """Our own with nothing but what Slicer holds: numba is hidden."""
    sys.modules["numba"] = None  # type: ignore[assignment]
    return ours(domain)


def scaffolder(domain: Any) -> Callable[[], Made]:
    """PyScaffolder: dual marching cubes on a level that is given, not solved."""
    import PyScaffolder

    parameter = PyScaffolder.Parameter()
    parameter.surface_name = "double-gyroid"
    parameter.coff = 2.0 * np.pi / CELL_MM
    parameter.isolevel = SCAFFOLDER_LEVEL
    # Its grid size counts along the shortest side.
    parameter.grid_size = round(float((domain.bounds[1] - domain.bounds[0]).min()) / VOXEL_MM)
    parameter.verbose = False

    def make() -> Made:
        made = PyScaffolder.generate_scaffold(domain.vertices, domain.faces.astype(np.int32), parameter)
        return np.asarray(made.v), np.asarray(made.f)

    return make


def picogk(domain: Any) -> Callable[[], Made]:
    """PicoGK through picopie, the cell as a compiled callback: the fastest way it offers."""
    import math

    import numba
    import picopie

    turn, level = 2.0 * math.pi / CELL_MM, SHEET_LEVEL

    @numba.cfunc(numba.types.float32(numba.types.CPointer(numba.types.float32)), fastmath=True)
    def sheet(p: Any) -> float:
        x, y, z = turn * p[0], turn * p[1], turn * p[2]
        sx, sy, sz, cx, cy, cz = math.sin(x), math.sin(y), math.sin(z), math.cos(x), math.cos(y), math.cos(z)
        a, b, c = cx * cy - sz * sx, cy * cz - sx * sy, cz * cx - sy * sz
        return (abs(sx * cy + sy * cz + sz * cx) - level) / (turn * math.sqrt(a * a + b * b + c * c + 0.05))

    picopie.init(voxel_size_mm=VOXEL_MM)

    def make() -> Made:
        voxels = picopie.Voxels.from_mesh(picopie.Mesh.from_arrays(domain.vertices, domain.faces))
        voxels.intersect_implicit_(sheet)
        mesh = voxels.to_mesh()
        return np.asarray(mesh.vertices), np.asarray(mesh.triangles)

    return make


MAKERS: dict[str, Callable[[Any], Callable[[], Made]]] = {
    "ours": ours,
    "bundled": bundled,
    "scaffolder": scaffolder,
    "picogk": picogk,
}


def measured(work: str, maker: str) -> dict[str, float | int | str]:
    """Seconds and peak memory of one making, and what was made."""
    domain = block(SIZES_MM[work])
    make = MAKERS[maker](domain)
    before = peak_mib()
    touch_memory(work)
    start = time.perf_counter()
    vertices, faces = make()
    seconds = time.perf_counter() - start
    memory = peak_mib() - before
    return {"seconds": seconds, "memory": memory, **quality(vertices, faces, domain.volume)}


def quality(vertices: np.ndarray, faces: np.ndarray, domain_mm3: float) -> dict[str, float | int | str]:
    """Porosity, pieces and faults of what was made, and its size in memory."""
    from LatticeGeneratorLib.mesh.check import closed_manifold_fault, stl_fault
    from LatticeGeneratorLib.mesh.mesh import Mesh
    from LatticeGeneratorLib.mesh.pieces import pieces_of

    mesh = Mesh(vertices, faces)
    return {
        "triangles": len(faces),
        "output": (mesh.vertices.nbytes + mesh.faces.nbytes) / 2**20,
        "porosity": 1.0 - abs(mesh.volume) / domain_mm3,
        "pieces": int((np.abs(pieces_of(mesh).volumes) > 0.0).sum()),
        "fault": closed_manifold_fault(mesh) or stl_fault(mesh) or "clean",
    }


def touch_memory(work: str) -> None:
    """Takes as much memory as the hungriest maker needs and gives it back, in another process.

    A machine that is a guest of another gets its memory when it first touches it, which may take longer than making a
    lattice: with this done just before, every maker finds memory that is there.
    """
    words = f"import numpy; numpy.ones({int(TOUCHED_GIB[work] * 2**27)})"
    subprocess.run([sys.executable, "-c", words], check=True)


def peak_mib() -> float:
    """The most memory this process has held so far, MiB; 0 where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024.0 * 1024.0 if sys.platform == "darwin" else 1024.0)
