"""The skeletal gyroid: metal fills one of the two labyrinths that a gyroid surface separates."""

from __future__ import annotations

import numpy as np

from .cell import Cell


def gyroid_field(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """sin x cos y + sin y cos z + sin z cos x (Schoen 1970, nodal approximation), and its slope."""
    turn = 2.0 * np.pi
    sx, sy, sz = (np.sin(turn * c) for c in (x, y, z))
    cx, cy, cz = (np.cos(turn * c) for c in (x, y, z))
    value = sx * cy + sy * cz + sz * cx
    gradient = (cx * cy - sz * sx, cy * cz - sx * sy, cz * cx - sy * sz)
    square = sum((part * part for part in gradient), start=np.zeros((), x.dtype))
    # The slope vanishes only deep inside metal and void; the floor keeps the quotient finite there.
    return value, turn * np.sqrt(square + np.asarray(0.05, x.dtype))


GYROID_SKELETAL = Cell(
    name="gyroid_skeletal",
    title="Gyroid, skeletal",
    field=gyroid_field,
    pore=(0.0388, 1.1908, -1.0152, 0.6098),
    strut=(0.7733, -0.7118, 0.2693, -0.2444),
    porosities=(0.45, 0.88),
)
