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
# Most powers of volume that count as linear and as flat (1.3 times from 12 to 200 cm³). Engineering judgement: on a
# busy machine fits vary by 0.05 between runs, seconds by more; what goes with a plane goes with the power 2/3.
MOST_POWER = {"seconds": 1.1, "processor": 1.1, "memory": 0.1}
# Smaller ones do not fill the slabs that are worked on at a time.
LEAST_CM3 = 10.0


def measured(volume_cm3: float) -> dict[str, float | int | str]:
    """Seconds by the clock and of all processors, and peak memory beyond what is there already, MiB, of one block."""
    from LatticeGeneratorLib.infill.fill import prepared
    from LatticeGeneratorLib.infill.spec import LatticeSpec
    from LatticeGeneratorLib.mesh.solids import box

    def blocks(size: np.ndarray) -> Iterator[Block]:
        return prepared(box(-0.5 * size, 0.5 * size), LatticeSpec()).stream()

    for _ in blocks(np.full(3, 4.0)):
        pass  # loads what is compiled before the clock starts
    size = SHAPE * (1000.0 * volume_cm3 / SHAPE.prod()) ** (1.0 / 3.0)
    before, start, started = peak_mib(), time.perf_counter(), time.process_time()
    triangles, metal = 0, 0.0
    for part in blocks(size):
        triangles += len(part.faces)
        metal += part.volume
    return {
        "volume": volume_cm3,
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - started,
        "memory": peak_mib() - before,
        "triangles": triangles,
        "porosity": 1.0 - metal / size.prod(),
    }


def show(results: list[dict[str, float | int | str]]) -> None:
    """Prints the growth, and with which power of volume time and memory go: lines fitted to the logarithms."""
    for result in results:
        print(
            f"growth {result['volume']:5.0f} cm³ {result['seconds']:7.2f} s ({result['processor']:.2f} of processors) "
            f"{result['memory']:6.0f} MiB {result['triangles']:12,} triangles  {100 * float(result['porosity']):.2f} %"
        )
    large = [result for result in results if float(result["volume"]) >= LEAST_CM3]
    for name, most in MOST_POWER.items():
        volumes, values = (np.log([float(result[key]) for result in large]) for key in ("volume", name))
        power = float(np.polyfit(volumes, values, 1)[0])
        first, last = large[0], large[-1]
        print(
            f"growth: {name} with volume to the power {power:.2f}, at most {most:g}: "
            f"{'holds' if power <= most else 'DOES NOT HOLD'} ({float(last[name]) / float(first[name]):.2f} times from "
            f"{first['volume']:.0f} to {last['volume']:.0f} cm³)"
        )
