"""Joining a lattice to a solid strut and cutting four screw holes (W3): ours, and the same steps through trimesh."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from lattice_work import peak_mib, quality

LATTICE_MM = (20.0, 15.0, 8.0)
STRUT_MM = (20.0, 15.0, 40.0)
OVERLAP_MM = 0.15
HOLES_MM, HOLE_RADIUS_MM = ((-6.0, -4.0), (-6.0, 4.0), (6.0, -4.0), (6.0, 4.0)), 1.75
AT_LEAST = 2.0


def bodies() -> tuple[Any, Any, list[Any]]:
    """The lattice, the strut that stands on it, and what is cut out of both."""
    from LatticeGeneratorLib.infill.fill import fill
    from LatticeGeneratorLib.infill.spec import LatticeSpec
    from LatticeGeneratorLib.mesh.solids import box, cylinder

    x, y, z = LATTICE_MM
    lattice = fill(box([-x / 2, -y / 2, 0.0], [x / 2, y / 2, z + OVERLAP_MM]), LatticeSpec()).mesh
    strut = box([-x / 2 - 0.3, -y / 2 - 0.3, z], [x / 2 + 0.3, y / 2 + 0.3, z + STRUT_MM[2]])
    holes = [cylinder(np.array([a, b, -1.0]), np.array([a, b, 60.0]), HOLE_RADIUS_MM, 64) for a, b in HOLES_MM]
    return lattice, strut, holes


def ours(lattice: Any, strut: Any, holes: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """manifold3d called directly, the body kept as it is between the steps."""
    from LatticeGeneratorLib.mesh.boolean import Solid

    mesh = Solid.of(strut).joined([lattice]).less(holes).mesh()
    return mesh.vertices, mesh.faces


def through_trimesh(lattice: Any, strut: Any, holes: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """trimesh with its manifold engine."""
    import trimesh

    a, b, *cutters = (trimesh.Trimesh(mesh.vertices, mesh.faces) for mesh in (strut, lattice, *holes))
    joined = trimesh.boolean.union([a, b], engine="manifold")
    made = trimesh.boolean.difference([joined, *cutters], engine="manifold")
    return np.asarray(made.vertices), np.asarray(made.faces)


MAKERS: dict[str, Callable[[Any, Any, list[Any]], tuple[np.ndarray, np.ndarray]]] = {
    "ours": ours,
    "trimesh": through_trimesh,
}


def measured(maker: str) -> dict[str, float | int | str]:
    """Seconds and peak memory of joining and cutting."""
    lattice, strut, holes = bodies()
    before, start = peak_mib(), time.perf_counter()
    vertices, faces = MAKERS[maker](lattice, strut, holes)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "memory": peak_mib() - before, **quality(vertices, faces, 1.0)}


def show(results: dict[str, list[dict[str, float | int | str]]]) -> None:
    """Prints both and their ratio."""
    medians = {maker: statistics.median(float(one["seconds"]) for one in some) for maker, some in results.items()}
    for maker, some in results.items():
        print(
            f"W3 {maker:25} {medians[maker]:7.2f} s  {some[0]['memory']:6.0f} MiB "
            f"{some[0]['triangles']:10,} triangles, {some[0]['fault']}"
        )
    ratio = medians["trimesh"] / medians["ours"]
    print(f"W3 ours {ratio:.1f} times as fast as through trimesh, at least {AT_LEAST:g}: ", end="")
    print("holds" if ratio >= AT_LEAST else "DOES NOT HOLD")
