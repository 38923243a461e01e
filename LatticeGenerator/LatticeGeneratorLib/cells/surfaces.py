"""Cells of triply periodic minimal surfaces, as sheets along the surface or as skeletons on one side of it.

Each surface is a function g with zeros near the minimal surface (nodal approximation; von Schnering and Nesper, Z Phys
B 1991;83:407) and the square of its gradient's length. Sums and products of sines and cosines are arranged so that
only tables along one axis, or over two, hold functions: on a block of points each of the six or seven passes over all
of it is one addition or multiplication. The functions are plain statements that numba could compile.
"""

from __future__ import annotations

import numpy as np

from .cell import Cell, Laws

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
    """g = 2 Σ cos x cos y − Σ cos 2x (Schoen I-WP; low on the side of the wrapped packages), |∇g|² per turn.

    With C = Σ cos x: g = C² − Σ (3 cos² x − 1), and ∂g/∂x = −2 sin x (C − 3 cos x).
    """
    x, y, z = x * x.dtype.type(_TURN), y * y.dtype.type(_TURN), z * z.dtype.type(_TURN)
    three, one, six, four = x.dtype.type(3.0), x.dtype.type(1.0), x.dtype.type(6.0), x.dtype.type(4.0)
    cx, cy, cz = np.cos(x), np.cos(y), np.cos(z)
    xx, yy, zz = cx * cx, cy * cy, cz * cz
    total = cx + cy + cz
    value = (one - three * xx) + (one - three * yy) + (one - three * zz)
    value += total * total
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
    return np.abs(value, out=value), _slope(square)


def diamond_skeletal(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz D, one side of which is metal."""
    value, square = diamond(x, y, z)
    return value, _slope(square)


def diamond_sheet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz D, metal along it."""
    value, square = diamond(x, y, z)
    return np.abs(value, out=value), _slope(square)


def primitive_skeletal(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz P, one side of which is metal."""
    value, square = primitive(x, y, z)
    return value, _slope(square)


def primitive_sheet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schwarz P, metal along it."""
    value, square = primitive(x, y, z)
    return np.abs(value, out=value), _slope(square)


def iwp_skeletal(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schoen I-WP, the side of the wrapped packages metal: struts round, not along, the cube's diagonals."""
    value, square = iwp(x, y, z)
    return value, _slope(square)


def iwp_sheet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Schoen I-WP, metal along it."""
    value, square = iwp(x, y, z)
    return np.abs(value, out=value), _slope(square)


def _slope(square: np.ndarray) -> np.ndarray:
    """The gradient's length per cell, from its square per turn, in its place."""
    square *= square.dtype.type(_PER_CELL2)
    return np.sqrt(np.maximum(square, square.dtype.type(_FLOOR * _PER_CELL2)))


# name, title, kind, field, porosities and the laws that `python -m LatticeGeneratorLib.cells.fit NAME` prints.
SURFACES = (
    Cell(
        "gyroid_skeletal",
        "Gyroid, skeletal",
        "skeletal",
        gyroid_skeletal,
        (0.40, 0.90),
        Laws(
            level=(-1.5026, 0.47088, 0.51158, 3.9454, -1.9247),
            pore=(0.96481, -0.98442, 1.2509, -1.5748, 0.47666),
            strut=(0.020189, 0.38416, 0.23057, 0.16298, -0.031782),
            least=(0.1291, -0.73041, 3.9891, -5.2074, 2.6972),
            throat=(0.72094, 0.69741, -3.6401, 4.4612, -2.1529),
        ),
    ),
    Cell(
        "gyroid_sheet",
        "Gyroid, sheet",
        "sheet",
        gyroid_sheet,
        (0.40, 0.85),
        Laws(
            level=(-0.036629, 0.30496, 0.60919, 1.3198, -0.73502),
            pore=(0.43826, 0.11691, -0.60376, 0.33405, -0.19852),
            strut=(-0.7129, 4.5668, -10.503, 11.211, -4.2094),
            least=(-2.9334, 19.027, -45.434, 48.229, -18.777),
            throat=(0.36314, 0.50965, -1.6679, 1.6828, -0.81035),
        ),
    ),
    Cell(
        "diamond_skeletal",
        "Diamond, skeletal",
        "skeletal",
        diamond_skeletal,
        (0.40, 0.85),
        Laws(
            level=(-1.1814, 0.065483, 1.7327, 1.1619, -0.56896),
            pore=(0.65509, 0.30912, -1.9731, 2.4128, -1.2884),
            strut=(0.59986, -3.3578, 9.7395, -10.819, 4.5876),
            least=(-0.48365, 3.2032, -6.1351, 6.2248, -2.2295),
            throat=(0.39042, 1.8828, -6.165, 7.1963, -3.3325),
        ),
    ),
    Cell(
        "diamond_sheet",
        "Diamond, sheet",
        "sheet",
        diamond_sheet,
        (0.40, 0.80),
        Laws(
            level=(-0.072635, 0.51163, -0.12421, 1.5872, -0.72924),
            pore=(0.51257, -0.83081, 2.3034, -3.2776, 1.4877),
            strut=(-0.84363, 5.1155, -11.23, 11.266, -3.9968),
            least=(-7.1645, 44.385, -102.01, 103.75, -39.092),
            throat=(0.54247, -1.2888, 2.7935, -3.0067, 0.96757),
        ),
    ),
    Cell(
        "primitive_skeletal",
        "Schwarz P, skeletal",
        "skeletal",
        primitive_skeletal,
        (0.40, 0.75),
        Laws(
            level=(-1.9624, 1.5771, -0.68482, 4.7629, -1.9767),
            pore=(-0.45186, 9.1867, -20.306, 18.469, -6.4539),
            strut=(5.039, -27.005, 60.129, -57.777, 20.915),
            least=(30.282, -185.19, 423.54, -424.66, 158.44),
            throat=(3.0545, -13.922, 31.887, -33.245, 12.284),
        ),
    ),
    Cell(
        "primitive_sheet",
        "Schwarz P, sheet",
        "sheet",
        primitive_sheet,
        (0.45, 0.85),
        Laws(
            level=(0.079993, -0.58409, 3.3039, -1.771, 0.72085),
            pore=(0.7009, 0.69108, -1.8203, 1.0738, -0.026158),
            strut=(-0.65786, 5.018, -13.766, 17.512, -7.706),
            least=(-4.2332, 28.318, -69.962, 76.738, -31.014),
            throat=(-1.5255, 15.831, -47.001, 60.313, -29.335),
        ),
    ),
    Cell(
        "iwp_skeletal",
        "I-WP, skeletal",
        "skeletal",
        iwp_skeletal,
        (0.40, 0.85),
        Laws(
            level=(-4.4085, 4.6215, -6.0092, 20.627, -11.663),
            pore=(0.68416, 0.57373, -2.5677, 2.6932, -1.2588),
            strut=(0.50531, -2.669, 7.9746, -8.922, 3.9142),
            least=(-0.82487, 5.1459, -10.195, 9.9862, -3.4538),
            throat=(0.61933, -0.042861, -0.77731, 0.58468, -0.32626),
        ),
    ),
    Cell(
        "iwp_sheet",
        "I-WP, sheet",
        "sheet",
        iwp_sheet,
        (0.40, 0.80),
        Laws(
            level=(0.07691, -0.21778, 3.3484, 2.0745, -1.9228),
            pore=(0.18549, 1.4419, -3.4213, 3.17, -1.2753),
            strut=(-0.95915, 6.0585, -13.898, 14.481, -5.3249),
            least=(-8.85, 55.476, -129.08, 132.89, -50.763),
            throat=(0.2315, 0.74946, -2.0061, 1.7869, -0.74851),
        ),
    ),
)
