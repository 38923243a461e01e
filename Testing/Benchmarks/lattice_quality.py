"""Every cell in many domains: what came out, counted by what is wrong with it. All counts are to be 0.

    python Testing/Benchmarks/lattice_quality.py [--domains 50] [--cells gyroid_skeletal bcc ...]

Domains are random bodies of every kind (`lattice_domains`) and the porous regions of real feet, of which each cell
fills each. Of every lattice it is looked at whether it is a closed, oriented manifold before and after rounding to
STL, in one piece, without crossing itself in either state, and how far its porosity, by the volumes of both meshes, is
from what was wanted. A domain that a cell refuses is told with the reason.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from lattice_domains import feet, random_body
from LatticeGeneratorLib.cells import CELLS, cell_named
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, self_intersections, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.pieces import pieces_of
from LatticeGeneratorLib.mesh.weld import as_stl_reads
from LatticeGeneratorLib.printing.printer import NO_LIMITS

PORE_MM = 0.55
LEAST_POROSITY, MOST_POROSITY = 0.60, 0.75
ALLOWED_POINTS = 0.1
_PROCESSES = 2


@dataclass(frozen=True)
class Quality:
    """One lattice: defects before and after rounding, pieces beside the first, edges that pierce faces before and
    after rounding, porosity off in percentage points, loose chips that were removed; refused: why there is none."""

    cell: str
    domain: str
    defects: int = 0
    stl_defects: int = 0
    pieces: int = 0
    crossings: int = 0
    stl_crossings: int = 0
    off: float = 0.0
    chips: int = 0
    refused: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        counts = self.defects + self.stl_defects + self.pieces + self.crossings + self.stl_crossings
        return counts == 0 and abs(self.off) <= ALLOWED_POINTS and not self.refused


def quality(cell: str, number: int, foot: tuple[str, str] | None) -> Quality:
    """Fills one domain and looks at what came out. foot: a real foot's name and file, instead of a random body."""
    random = np.random.default_rng(number)
    wanted = LatticeSpec(cell, float(random.uniform(*_porosities(cell))), PORE_MM)
    if foot is None:
        name, domain = f"random {number}", random_body(number, wanted.cell_mm)
    else:
        with np.load(foot[1]) as stored:
            name, domain = foot[0], Mesh(stored["vertices"], stored["faces"])
    try:
        lattice = fill(domain, wanted, printer=NO_LIMITS)
    except GeometryError as error:
        return Quality(cell, name, refused=str(error))
    mesh = lattice.mesh
    rounded = as_stl_reads(mesh)
    return Quality(
        cell,
        name,
        int(closed_manifold_fault(mesh) is not None),
        int(stl_fault(mesh) is not None),
        int((pieces_of(mesh).volumes > 0.0).sum()) - 1,
        self_intersections(mesh),
        self_intersections(rounded),
        100.0 * (1.0 - mesh.volume / domain.volume - wanted.porosity),
        lattice.chips_removed,
    )


def _porosities(cell: str) -> tuple[float, float]:
    low, high = cell_named(cell).porosities
    return max(low, LEAST_POROSITY), min(high, MOST_POROSITY)


def qualities(cells: Sequence[str], domains: int) -> Iterator[Quality]:
    """All lattices, cell by cell."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
        real = []
        for name, mesh in feet():
            path = Path(folder) / f"{name.replace(' ', '_')}.npz"
            np.savez(path, vertices=mesh.vertices, faces=mesh.faces)
            real.append((name, str(path)))
        real = real[:domains]
        jobs = [
            (cell, number, real[number] if number < len(real) else None) for cell in cells for number in range(domains)
        ]
        yield from pool.map(quality, *zip(*jobs))


def show(results: Sequence[Quality]) -> None:
    """Prints a row for one cell."""
    made = [result for result in results if not result.refused]
    sums = [sum(getattr(result, name) for result in made) for name in ("defects", "stl_defects", "pieces")]
    crossings = sum(result.crossings for result in made), sum(result.stl_crossings for result in made)
    off = max((abs(result.off) for result in made), default=float("nan"))
    print(
        f"{results[0].cell:22} {len(made):4} {sums[0]:8} {sums[1]:8} {sums[2]:8} {crossings[0]:8} {crossings[1]:8} "
        f"{off:9.3f} {sum(result.chips for result in made):6} {len(results) - len(made):8}",
        flush=True,
    )
    for result in results:
        if not result.sound:
            print(f"    {result.domain}: {result.refused or result}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--domains", type=int, default=50, help="how many domains each cell fills")
    parser.add_argument("--cells", nargs="*", default=list(CELLS), help="cells, all if not given")
    options = parser.parse_args()
    print(
        f"{'cell':22} made  defects  in STL   pieces crossing  in STL  worst pp  chips  refused\n"
        f"{'':22}      (each to be 0; porosity off by at most {ALLOWED_POINTS} pp; chips were removed)"
    )
    sound, row = True, []
    for result in qualities(options.cells, options.domains):
        row.append(result)
        if len(row) == options.domains:
            show(row)
            sound &= all(one.sound for one in row)
            row = []
    print("sound" if sound else "NOT SOUND")
    return 0 if sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
