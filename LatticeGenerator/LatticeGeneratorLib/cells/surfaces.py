"""Cells of triply periodic minimal surfaces, as sheets along the surface or as skeletons on one side of it.

Each surface is a function g with zeros near the minimal surface (nodal approximation; von Schnering and Nesper, Z Phys
B 1991;83:407) and the square of its gradient's length. Sums and products of sines and cosines are arranged so that
only tables along one axis, or over two, hold functions: on a block of points each of the six or seven passes over all
of it is one addition or multiplication. The functions are plain statements that numba could compile.
"""

from __future__ import annotations

import numpy as np

from .cell import UNFITTED, Cell, Field, Laws

_TURN = 2.0 * np.pi
_PER_CELL2 = _TURN * _TURN

# The least square of a slope per turn. On every offered surface the square is larger; it vanishes only deep inside
# metal and void, where the floor keeps the distance finite.
_FLOOR = 0.05


def gyroid(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g = sin x cos y + sin y cos z + sin z cos x (A. H. Schoen, NASA TN D-5541, 1970), |∇g|² per turn.

    The mixed products of |∇g|² are those of g²: |∇g|² = Σ (cos² y + sin² x sin² y) − g², summed over xy, yz, zx.
    """
    x, y, z = x * x.dtype.type(_TURN), y * y.dtype.type(_TURN), z * z.dtype.type(_TURN)
    sx, sy, sz = np.sin(x), np.sin(y), np.sin(z)
    cx, cy, cz = np.cos(x), np.cos(y), np.cos(z)
    value = sx * cy + sy * cz
    value += sz * cx
    sx, sy, sz, cx, cy, cz = sx * sx, sy * sy, sz * sz, cx * cx, cy * cy, cz * cz
    square = (cy + sx * sy) + (cz + sy * sz)
    square += cx + sz * sx
    square -= value * value
    return value, square


def diamond(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g = sin x cos(y − z) + cos x sin(y + z) (Schwarz D), |∇g|² per turn = 2 + cos 2x cos 2y cos 2z − g²."""
    x, y, z = x * x.dtype.type(_TURN), y * y.dtype.type(_TURN), z * z.dtype.type(_TURN)
    sx, sy, sz = np.sin(x), np.sin(y), np.sin(z)
    cx, cy, cz = np.cos(x), np.cos(y), np.cos(z)
    value = sx * (cy * cz + sy * sz)
    value += cx * (sy * cz + cy * sz)
    sx, sy, sz = cx * cx - sx * sx, cy * cy - sy * sy, cz * cz - sz * sz
    square = sx * (sy * sz)
    square -= value * value
    square += x.dtype.type(2.0)
    return value, square


def primitive(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g = cos x + cos y + cos z (Schwarz P), |∇g|² per turn = sin² x + sin² y + sin² z."""
    x, y, z = x * x.dtype.type(_TURN), y * y.dtype.type(_TURN), z * z.dtype.type(_TURN)
    value = np.cos(x) + np.cos(y) + np.cos(z)
    x, y, z = np.sin(x), np.sin(y), np.sin(z)
    return value, x * x + y * y + z * z


def iwp(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g = Σ cos 2x − 2 Σ cos x cos y (Schoen I-WP; low on the I side), |∇g|² per turn.

    With C = Σ cos x: g = Σ (3 cos² x − 1) − C², and ∂g/∂x = 2 sin x (C − 3 cos x).
    """
    x, y, z = x * x.dtype.type(_TURN), y * y.dtype.type(_TURN), z * z.dtype.type(_TURN)
    three, one, six, four = x.dtype.type(3.0), x.dtype.type(1.0), x.dtype.type(6.0), x.dtype.type(4.0)
    cx, cy, cz = np.cos(x), np.cos(y), np.cos(z)
    xx, yy, zz = cx * cx, cy * cy, cz * cz
    total = cx + cy + cz
    value = (three * xx - one) + (three * yy - one) + (three * zz - one)
    value -= total * total
    # Σ sin² x (C − 3 cos x)² = C (C Σ sin² x − 6 Σ sin² x cos x) + 9 Σ sin² x cos² x
    square = (one - xx) + (one - yy) + (one - zz)
    square *= total
    square -= six * ((one - xx) * cx + (one - yy) * cy) + six * ((one - zz) * cz)
    square *= total
    nine = three * three
    square += nine * ((one - xx) * xx + (one - yy) * yy) + nine * ((one - zz) * zz)
    square *= four
    return value, square


def gyroid_skeletal(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gyroid, one side of which is metal."""
    value, square = gyroid(x, y, z)
    return value, _slope(square)


def gyroid_sheet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gyroid, metal along it."""
    value, square = gyroid(x, y, z)
    return np.abs(value, value), _slope(square)


def diamond_skeletal(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz D, one side of which is metal."""
    value, square = diamond(x, y, z)
    return value, _slope(square)


def diamond_sheet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz D, metal along it."""
    value, square = diamond(x, y, z)
    return np.abs(value, value), _slope(square)


def primitive_skeletal(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz P, one side of which is metal."""
    value, square = primitive(x, y, z)
    return value, _slope(square)


def primitive_sheet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz P, metal along it."""
    value, square = primitive(x, y, z)
    return np.abs(value, value), _slope(square)


def iwp_skeletal(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schoen I-WP, the side of which round the corners and the centre is metal."""
    value, square = iwp(x, y, z)
    return value, _slope(square)


def iwp_sheet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schoen I-WP, metal along it."""
    value, square = iwp(x, y, z)
    return np.abs(value, value), _slope(square)


def _slope(square: np.ndarray) -> np.ndarray:
    """The gradient's length per cell, from its square per turn, in its place."""
    square *= square.dtype.type(_PER_CELL2)
    np.maximum(square, square.dtype.type(_FLOOR * _PER_CELL2), square)
    return np.sqrt(square, square)


# name, title, kind, field, porosities and the laws that `python -m LatticeGeneratorLib.cells.fit NAME` prints.
SURFACES = (
    Cell("gyroid_skeletal", "Gyroid, skeletal", "skeletal", gyroid_skeletal, (0.45, 0.88), UNFITTED),
    Cell("gyroid_sheet", "Gyroid, sheet", "sheet", gyroid_sheet, (0.45, 0.88), UNFITTED),
    Cell("diamond_skeletal", "Diamond, skeletal", "skeletal", diamond_skeletal, (0.45, 0.88), UNFITTED),
    Cell("diamond_sheet", "Diamond, sheet", "sheet", diamond_sheet, (0.45, 0.88), UNFITTED),
    Cell("primitive_skeletal", "Schwarz P, skeletal", "skeletal", primitive_skeletal, (0.45, 0.88), UNFITTED),
    Cell("primitive_sheet", "Schwarz P, sheet", "sheet", primitive_sheet, (0.45, 0.88), UNFITTED),
    Cell("iwp_skeletal", "I-WP, skeletal", "skeletal", iwp_skeletal, (0.45, 0.88), UNFITTED),
    Cell("iwp_sheet", "I-WP, sheet", "sheet", iwp_sheet, (0.45, 0.88), UNFITTED),
)
