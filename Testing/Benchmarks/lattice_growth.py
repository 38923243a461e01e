"""How time and memory grow with the volume that is filled: blocks up to 200 cm³ on a grid of 0.1 mm.

The surface is taken block by block and let go, as when it is written to a file: what is measured is the work alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from lattice_work import peak_mib

if TYPE_CHECKING:
    from LatticeGeneratorLib.field.slabs import Block

VOLUMES_CM3 = (3.0, 12.0, 50.0, 200.0)
# The sides of the smallest block; larger ones have the same shape.
SHAPE = np.array([2.0, 1.5, 1.0])


def measured(volume_cm3: float) -> dict[str, float | int | str]:
    """Seconds and peak memory of one block."""
    from LatticeGeneratorLib.infill.fill import prepared
    from LatticeGeneratorLib.infill.spec import LatticeSpec
    from LatticeGeneratorLib.mesh.solids import box

    def blocks(size: np.ndarray) -> Iterator[Block]:
        return prepared(box(-0.5 * size, 0.5 * size), LatticeSpec()).stream()

    for _ in blocks(np.full(3, 4.0)):
        pass  # loads what is compiled before the clock starts
    size = SHAPE * (1000.0 * volume_cm3 / SHAPE.prod()) ** (1.0 / 3.0)
    before, start = peak_mib(), time.perf_counter()
    triangles, metal = 0, 0.0
    for part in blocks(size):
        triangles += len(part.faces)
        metal += part.volume
    return {
        "volume": volume_cm3,
        "seconds": time.perf_counter() - start,
        "memory": peak_mib() - before,
        "triangles": triangles,
        "porosity": 1.0 - metal / size.prod(),
    }


def show(results: list[dict[str, float | int | str]]) -> None:
    """Prints the growth and the exponent of time over volume, fitted to the logarithms."""
    for result in results:
        print(
            f"growth {result['volume']:5.0f} cm³ {result['seconds']:7.2f} s {result['memory']:6.0f} MiB "
            f"{result['triangles']:12,} triangles  {100 * float(result['porosity']):.2f} %"
        )
    volumes, seconds = (np.log([float(result[key]) for result in results]) for key in ("volume", "seconds"))
    exponent, _ = np.polyfit(volumes, seconds, 1)
    memories = [float(result["memory"]) for result in results]
    print(
        f"growth: seconds go with volume to the power {exponent:.2f}; "
        f"memory {min(memories):.0f} to {max(memories):.0f} MiB"
    )
