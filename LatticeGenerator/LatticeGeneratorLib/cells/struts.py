"""Cells of round struts: the value is the distance to the nearest axis, in cells, with slope 1.

Mirror planes of a cell fold space into a small domain whose walls the axes do not cross, so that the nearest axis of
a folded point is one of the one or two in the domain. Folding to the nearest lattice point is done along each axis
alone, before points are spread over a block.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from .cell import Cell, Field, Laws


def cubic(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Struts along the edges of the cube."""
    x, y, z = _to_nearest(x), _to_nearest(y), _to_nearest(z)
    x *= x
    y *= y
    z *= z
    square = x + y + z
    square -= np.maximum(np.maximum(x, y), z)
    return _from_square(square)


def bcc(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Struts along the four diagonals of the cube (body-centred cubic)."""
    x, y, z = _to_nearest(x), _to_nearest(y), _to_nearest(z)
    along = x + y + z
    along *= along
    along *= x.dtype.type(1.0 / 3.0)
    square = x * x + y * y + z * z
    square -= along
    return _from_square(square)


def fcc(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Struts along the diagonals of the cube's faces (face-centred cubic)."""
    least, middle, most = _sorted(_to_nearest(x), _to_nearest(y), _to_nearest(z))
    most -= middle
    return _from_square(_square(least, most))


def octet(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Struts between all nearest points of a face-centred cubic lattice: tetrahedra and octahedra (octet truss)."""
    least, middle, most = _sorted(_to_nearest(x), _to_nearest(y), _to_nearest(z))
    half = least.dtype.type(0.5)
    square = _square(least, most - middle)
    least += middle
    least -= half
    most -= half
    return _from_square(np.minimum(square, _square(most, least), out=square))


def diamond_cubic(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Struts along the bonds of diamond: four from each point of two face-centred cubic lattices, a quarter apart."""
    # On which side of an even number of the three planes through the lattice point: the bonds lie on the positive one.
    side = _side(x) * _side(y) * _side(z)
    least, middle, most = _folded(_to_nearest(x), _to_nearest(y), _to_nearest(z))
    square = least * least + middle * middle
    square += most * most
    least *= side
    least += middle
    least += most
    least *= least
    least *= least.dtype.type(1.0 / 3.0)
    square -= least
    return _from_square(square)


def rhombic_dodecahedron(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Struts along the edges of the rhombic dodecahedra that fill space round a face-centred cubic lattice."""
    least, middle, most = _folded(_to_nearest(x), _to_nearest(y), _to_nearest(z))
    most -= most.dtype.type(0.5)
    square = least * least + middle * middle
    square += most * most
    least += middle
    least -= most
    least *= least
    least *= least.dtype.type(1.0 / 3.0)
    square -= least
    return _from_square(square)


def kelvin(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Struts along the edges of the truncated octahedra that fill space round a body-centred cubic lattice (Kelvin)."""
    least, middle, most = _sorted(_to_nearest(x), _to_nearest(y), _to_nearest(z))
    quarter = least.dtype.type(0.25)
    square = _end(middle, least, quarter) + _square(most - quarter - quarter, middle + least - quarter)
    other = _end(most, middle, quarter) + _square(least, most + middle - quarter - quarter - quarter)
    return _from_square(np.minimum(square, other, out=square))


def _to_nearest(c: np.ndarray) -> np.ndarray:
    """The distance along an axis to the nearest whole number."""
    return np.abs(c - np.rint(c))


def _side(c: np.ndarray) -> np.ndarray:
    """1 above the nearest whole number, -1 below."""
    return np.where(c < np.rint(c), c.dtype.type(-1.0), c.dtype.type(1.0))


def _sorted(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three coordinates of each point in ascending order, as new arrays of the common shape."""
    low, high = np.minimum(x, y), np.maximum(x, y)
    most = np.maximum(high, z)
    middle = np.minimum(high, z)
    least = np.minimum(low, middle)
    np.maximum(low, middle, out=middle)
    return least, middle, most


def _folded(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_sorted`, of points mirrored besides to where the two largest coordinates come to at most a half.

    These mirrors, x + y = ½ and the like, belong to the face-centred cubic lattice.
    """
    least, middle, most = _sorted(x, y, z)
    beyond = most + middle
    beyond -= beyond.dtype.type(0.5)
    np.maximum(beyond, beyond.dtype.type(0.0), out=beyond)
    most -= beyond
    middle -= beyond
    return _sorted(least, middle, most)


def _square(across: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """Square of the distance from a diagonal in a plane `across` away, where x ± y differ by `diagonal`."""
    half = diagonal * diagonal
    half *= half.dtype.type(0.5)
    half += across * across
    return half


def _end(a: np.ndarray, b: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Half the square of how far a − b goes beyond a diagonal that ends at `length`."""
    beyond = a - b
    beyond -= length
    np.maximum(beyond, beyond.dtype.type(0.0), out=beyond)
    beyond *= beyond
    beyond *= beyond.dtype.type(0.5)
    return beyond


def _from_square(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distance, and slope 1."""
    np.maximum(square, square.dtype.type(0.0), out=square)
    return np.sqrt(square, out=square), np.ones((), square.dtype)


def bonds(starts: np.ndarray, ends: np.ndarray, length: float) -> np.ndarray:
    """(n, 2, 3) the segments of that length from (a, 3) starts in one cell to images of the (b, 3) ends, each once."""
    found: dict[tuple[int, ...], np.ndarray] = {}
    for start, end, shift in product(starts, ends, product((-1.0, 0.0, 1.0), repeat=3)):
        bond = np.array([start, end + shift])
        if abs(np.linalg.norm(bond[1] - bond[0]) - length) < 1e-6:
            # A segment is known by its middle, wherever it was met; no two of these cells share one.
            middle = np.rint(64.0 * bond.mean(axis=0)).astype(int) % 64
            found.setdefault(tuple(middle.tolist()), bond)
    return np.array(list(found.values()))


_CORNER = np.zeros((1, 3))
_CENTRE = np.full((1, 3), 0.5)
_FACES = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
_FCC = np.concatenate([_CORNER, _FACES])
_OCTANTS = 0.25 * np.array(list(product((1.0, 3.0), repeat=3)))
_KELVIN = np.array([np.roll(p, k) for p in ([0.5, 0.25, 0.0], [0.5, 0.75, 0.0], [0.0, 0.25, 0.5], [0.0, 0.75, 0.5])
                    for k in range(3)])  # fmt: skip


def _cell(name: str, title: str, field: Field, beams: np.ndarray, porosities: tuple[float, float], laws: Laws) -> Cell:
    return Cell(name, title, "struts", field, porosities, laws, beams)


# name, title, field, axes, porosities and the laws that `python -m LatticeGeneratorLib.cells.fit NAME` prints.
STRUTS = (
    _cell(
        "bcc", "Body-centred cubic struts", bcc, bonds(_CORNER, _CENTRE, 0.75**0.5), (0.40, 0.90),
        Laws(
            level=(0.01183, 0.10972, 0.38289, -0.47579, 0.29264),
            pore=(0.6168, 1.0808, -4.7567, 6.0187, -2.9443),
            strut=(0.010994, 0.29661, 0.64755, -0.87996, 0.65147),
            least=(0.022127, 0.22987, 0.73942, -0.92241, 0.57335),
            throat=(0.83825, -1.4633, 2.8397, -3.5564, 1.4715),
        ),
    ),
    _cell(
        "fcc", "Face-centred cubic struts", fcc, bonds(_CORNER, _FACES, 0.5**0.5), (0.40, 0.90),
        Laws(
            level=(0.013169, 0.07859, 0.41147, -0.52071, 0.3167),
            pore=(0.84485, -0.35297, -0.6783, 0.74226, -0.30932),
            strut=(0.033168, 0.092202, 1.0664, -1.3657, 0.86616),
            least=(0.020036, 0.20081, 0.71163, -0.91724, 0.58222),
            throat=(0.55803, -0.13804, -1.1024, 1.6392, -1.0023),
        ),
    ),
    _cell(
        "octet", "Octet truss", octet, bonds(_FCC, _FCC, 0.5**0.5), (0.40, 0.90),
        Laws(
            level=(0.0085779, 0.061447, 0.27458, -0.34896, 0.21579),
            pore=(0.41214, 1.5509, -6.1211, 8.0575, -3.8654),
            strut=(0.036201, -0.10646, 1.4112, -1.9303, 1.1308),
            least=(0.018618, 0.063528, 0.80248, -1.0735, 0.61803),
            throat=(0.41842, -0.33878, 0.036192, 0.024804, -0.15111),
        ),
    ),
    _cell(
        "diamond_cubic", "Diamond cubic struts", diamond_cubic, bonds(_FCC, _FCC + 0.25, 0.1875**0.5), (0.40, 0.90),
        Laws(
            level=(0.0060545, 0.1556, 0.2518, -0.31503, 0.22086),
            pore=(0.81137, -0.4271, -0.30416, 0.4995, -0.46698),
            strut=(0.25266, -1.6217, 6.0977, -7.5495, 3.5954),
            least=(0.010543, 0.32131, 0.47948, -0.60489, 0.43203),
            throat=(0.63319, 0.13211, -1.65, 1.8996, -0.95635),
        ),
    ),
    _cell(
        "rhombic_dodecahedron", "Rhombic dodecahedron struts", rhombic_dodecahedron,
        bonds(_FCC + _CENTRE, _OCTANTS, 0.1875**0.5), (0.40, 0.90),
        Laws(
            level=(0.010479, 0.055566, 0.35567, -0.47124, 0.29309),
            pore=(0.77232, -0.13398, -0.80094, 0.51816, -0.021529),
            strut=(-0.033609, 0.45919, -0.095229, -0.10564, 0.32365),
            least=(-0.14055, 1.2205, -2.1007, 2.1775, -0.69336),
            throat=(0.29636, 0.6768, -3.1847, 4.2729, -2.2088),
        ),
    ),
    _cell(
        "kelvin", "Kelvin struts", kelvin, bonds(_KELVIN, _KELVIN, 0.125**0.5), (0.40, 0.90),
        Laws(
            level=(0.0227, -0.010694, 0.72427, -0.98815, 0.5958),
            pore=(1.3097, -2.4037, 5.1424, -6.2458, 2.5963),
            strut=(-0.030815, 0.54688, -0.16512, 0.094308, 0.24867),
            least=(0.027434, 0.10234, 1.1344, -1.6275, 1.0486),
            throat=(0.59147, -0.20152, -0.78396, 1.1561, -0.83523),
        ),
    ),
    _cell(
        "cubic", "Cubic struts", cubic, bonds(_CORNER, _CORNER, 1.0), (0.40, 0.90),
        Laws(
            level=(0.012681, 0.20638, 0.47838, -0.60894, 0.40445),
            pore=(1.0702, 1.7551, -7.11, 8.3124, -3.8362),
            strut=(0.47272, -3.2966, 12.191, -15.778, 7.8526),
            least=(0.031111, 0.37387, 1.06, -1.3373, 0.85915),
            throat=(0.97509, -0.4103, -0.96905, 1.2362, -0.81765),
        ),
    ),
)  # fmt: skip
