"""The body-centred cubic strut cell: round struts along the four diagonals of a cube."""

from __future__ import annotations

import numpy as np

from .cell import Cell


def bcc_field(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance in cells to the nearest cube diagonal, with slope 1.

    The diagonals are their own mirror images in the faces and the middle planes of the cube, so that the nearest one
    is that of the octant the point is in.
    """
    u, v, w = (np.abs(c - np.floor(c) - np.asarray(0.5, c.dtype)) for c in (x, y, z))
    square = u * u + v * v + w * w - (u + v + w) ** 2 / np.asarray(3.0, x.dtype)
    return np.sqrt(np.maximum(square, 0.0)), np.ones((), x.dtype)


BCC = Cell(
    name="bcc",
    title="Body-centred cubic struts",
    field=bcc_field,
    pore=(-0.0324, 1.4023, -1.5622, 0.9177),
    strut=(0.7989, -1.2480, 1.2060, -0.6973),
    porosities=(0.45, 0.88),
)
