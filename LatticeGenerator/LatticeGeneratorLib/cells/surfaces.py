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
    """Schoen I-WP, the side of the wrapped packages metal: struts round, not along, the cube's diagonals."""
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
    Cell(
        "gyroid_skeletal",
        "Gyroid, skeletal",
        "skeletal",
        gyroid_skeletal,
        (0.45, 0.88),
        Laws(
            level=(-1.3577, -0.68408, 3.8593, -0.25101),
            pore=(0.96097, -0.8685, 0.71972, -0.70899),
            strut=(0.093608, -0.038488, 1.0269, -0.3506),
            least=(-0.095442, 1.0764, -1.1363, 0.97155),
            throat=(0.91011, -0.77371, 0.47796, -0.47849),
        ),
    ),
    Cell(
        "gyroid_sheet",
        "Gyroid, sheet",
        "sheet",
        gyroid_sheet,
        (0.45, 0.88),
        Laws(
            level=(0.026451, -0.1836, 1.9801, -0.33998),
            pore=(0.45094, -0.0039421, -0.23091, -0.12823),
            strut=(0.049264, -0.63029, 1.8317, -0.96351),
            least=(1.4414, -8.9029, 17.158, -10.048),
            throat=(0.48455, -0.31728, 0.35896, -0.44256),
        ),
    ),
    Cell(
        "diamond_skeletal",
        "Diamond, skeletal",
        "skeletal",
        diamond_skeletal,
        (0.45, 0.88),
        Laws(
            level=(-1.136, -0.28502, 2.7321, -0.081679),
            pore=(0.67693, -0.033873, -0.52844, 0.08291),
            strut=(0.061913, 0.43139, -0.050525, 0.21571),
            least=(-0.603, 3.4472, -5.0619, 2.9807),
            throat=(0.66329, -0.19162, -0.31051, -0.068716),
        ),
    ),
    Cell(
        "diamond_sheet",
        "Diamond, sheet",
        "sheet",
        diamond_sheet,
        (0.45, 0.88),
        Laws(
            level=(0.015181, -0.10288, 1.4552, -0.18156),
            pore=(0.37093, 0.23167, -0.59673, 0.15478),
            strut=(0.21998, -1.5981, 3.4765, -1.9301),
            least=(0.67781, -3.698, 5.9377, -2.5706),
            throat=(0.38249, -0.22199, 0.23571, -0.39204),
        ),
    ),
    Cell(
        "primitive_skeletal",
        "Schwarz P, skeletal",
        "skeletal",
        primitive_skeletal,
        (0.45, 0.78),
        Laws(
            level=(-1.6824, -0.26615, 3.8393, -0.13886),
            pore=(-0.011803, 5.9464, -11.346, 6.41),
            strut=(3.6564, -16.004, 27.381, -14.798),
            least=(5.8526, -27.001, 43.236, -22.087),
            throat=(1.0593, -1.159, 1.5918, -1.6006),
        ),
    ),
    Cell(
        "primitive_sheet",
        "Schwarz P, sheet",
        "sheet",
        primitive_sheet,
        (0.45, 0.88),
        Laws(
            level=(0.0082411, -0.059704, 1.8927, -0.11094),
            pore=(0.62943, 1.0681, -2.44, 1.3801),
            strut=(-0.27001, 1.2713, -1.6717, 1.3496),
            least=(1.6523, -10.226, 19.76, -11.61),
            throat=(0.88119, -2.732, 5.5338, -4.4141),
        ),
    ),
    Cell(
        "iwp_skeletal",
        "I-WP, skeletal",
        "skeletal",
        iwp_skeletal,
        (0.45, 0.88),
        Laws(
            level=(-3.4107, -3.0501, 15.508, -5.5338),
            pore=(0.69842, 0.06385, -0.78287, 0.19871),
            strut=(0.12729, 0.15265, 0.2828, 0.14528),
            least=(-0.25962, 1.5836, -1.8426, 1.2414),
            throat=(0.66821, -0.34954, -0.050481, -0.19799),
        ),
    ),
    Cell(
        "iwp_sheet",
        "I-WP, sheet",
        "sheet",
        iwp_sheet,
        (0.45, 0.88),
        Laws(
            level=(0.13372, -0.93064, 5.9699, -1.7281),
            pore=(0.47103, -0.36894, 0.6167, -0.63303),
            strut=(0.12698, -1.0108, 2.332, -1.1624),
            least=(1.1765, -7.214, 13.783, -7.9907),
            throat=(0.40037, -0.3215, 0.42486, -0.51739),
        ),
    ),
)
