"""The laws of a cell, measured on its unbounded lattice over the porosities it can have.

`python -m LatticeGeneratorLib.cells.fit NAME...` prints what belongs into the cell's entry. A cell takes a minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import label

from .cell import Cell, Laws
from .periodic import Measured, level_of, measured
from .registry import cell_named

_WIDEST = (0.40, 0.90)  # porosities that lattices for bone are made with, and some more
_STEPS = 7  # porosities measured
_POWERS = 4
_APART = 2  # per cent between the porosities that are tried for whether they hang together
_CONNECTED_LINES = 24
_LAWS = ("level", "pore", "strut", "least", "throat")


def porosities_of(cell: Cell) -> tuple[float, float]:
    """The range, in whole per cents, over which void and metal are each one network (a sheet's void two)."""
    low, high = (round(100 * end) for end in _WIDEST)
    shares = np.arange(low, high + 1)
    good = [share for share in shares[::_APART] if connected(cell, 0.01 * share)]
    if not good:
        raise ValueError(f"{cell.name}: void and metal are nowhere each one network from {low} to {high} %")
    return 0.01 * float(good[0]), 0.01 * float(good[-1])


def connected(cell: Cell, porosity: float) -> bool:
    """Whether nearly all of the metal, and of the void, hangs together with its image one period further on."""
    lines = _CONNECTED_LINES if cell.period == 1 else _CONNECTED_LINES // 2
    n = lines * cell.period
    axis = (np.arange(3 * n) + 0.371) / lines
    value = cell.field(axis[None, None, :], axis[None, :, None], axis[:, None, None])[0]
    metal = value < level_of(cell, porosity)
    for part in (metal, ~metal):
        regions = label(part)[0]
        middle = regions[n : 2 * n, n : 2 * n, n : 2 * n]
        for next_on in (regions[2 * n :, n : 2 * n, n : 2 * n], regions[n : 2 * n, 2 * n :, n : 2 * n],
                        regions[n : 2 * n, n : 2 * n, 2 * n :]):  # fmt: skip
            if (middle[middle > 0] == next_on[middle > 0]).mean() < 0.99:
                return False
    return True


def fitted(rows: Sequence[Measured]) -> tuple[Laws, dict[str, float]]:
    """The laws that the measured porosities follow, and the greatest departure of each law from them."""
    root = np.sqrt(1.0 - np.array([row.porosity for row in rows]))
    laws, errors = {}, {}
    for name in _LAWS:
        values = np.array([getattr(row, name) for row in rows])
        law = np.polynomial.polynomial.polyfit(root, values, _POWERS)
        laws[name] = tuple(float(f"{power:.5g}") for power in law)
        errors[name] = float(np.abs(np.polynomial.polynomial.polyval(root, laws[name]) - values).max())
    return Laws(**laws), errors


def entry_of(cell: Cell) -> str:
    """The porosities and laws of a cell as they stand in its entry, and under them what they are right to."""
    low, high = porosities_of(cell)
    lines = 14 if cell.period == 1 else 7
    rows = [measured(cell, float(porosity), lines) for porosity in np.linspace(low, high, _STEPS)]
    laws, errors = fitted(rows)
    lines_of = [f"    {name}={getattr(laws, name)}," for name in _LAWS]
    departures = ", ".join(f"{name} {errors[name]:.4f}" for name in _LAWS)
    return "\n".join(
        [f"{cell.name}: porosities=({low:.2f}, {high:.2f}), laws=Laws(", *lines_of, f")  # right to: {departures}"]
    )


def main(names: Sequence[str]) -> None:
    """Prints the entries."""
    for name in names:
        print(entry_of(cell_named(name)), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME")
    main(parser.parse_args().names)
