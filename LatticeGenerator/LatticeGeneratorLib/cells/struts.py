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
        "bcc", "Body-centred cubic struts", bcc, bonds(_CORNER, _CENTRE, 0.75**0.5), (0.45, 0.88),
        Laws(
            level=(-0.010514, 0.28757, -0.13097, 0.16547),
            pore=(0.42752, 1.3469, -2.926, 1.3377),
            strut=(0.093986, -0.16562, 1.3048, -0.66657),
            least=(-0.023102, 0.58491, -0.27767, 0.33945),
            throat=(0.72495, -0.5498, 0.19944, -0.28513),
        ),
    ),
    _cell(
        "fcc", "Face-centred cubic struts", fcc, bonds(_CORNER, _FACES, 0.5**0.5), (0.45, 0.88),
        Laws(
            level=(-0.011311, 0.27271, -0.14739, 0.17472),
            pore=(0.91052, -0.96651, 0.75184, -0.51945),
            strut=(0.025929, 0.20224, 0.48654, -0.14038),
            least=(-0.061077, 0.73817, -0.61236, 0.52155),
            throat=(0.54783, -0.23669, -0.31861, 0.057209),
        ),
    ),
    _cell(
        "octet", "Octet truss", octet, bonds(_FCC, _FCC, 0.5**0.5), (0.45, 0.88),
        Laws(
            level=(-0.007842, 0.19179, -0.10203, 0.12209),
            pore=(0.66798, -0.59043, 0.3314, -0.2555),
            strut=(-0.12365, 0.89797, -1.0246, 0.75983),
            least=(-1.4762, 7.6705, -12.159, 6.6983),
            throat=(0.3702, -0.051981, -0.44341, 0.15765),
        ),
    ),
    _cell(
        "diamond_cubic", "Diamond cubic struts", diamond_cubic, bonds(_FCC, _FCC + 0.25, 0.1875**0.5), (0.45, 0.88),
        Laws(
            level=(-0.010219, 0.28597, -0.12815, 0.16387),
            pore=(0.74676, -0.30011, -0.031975, -0.29144),
            strut=(0.027593, 0.22341, 0.51233, -0.15893),
            least=(-0.027585, 0.60702, -0.31336, 0.35838),
            throat=(0.72855, -0.61412, 0.39078, -0.4401),
        ),
    ),
    _cell(
        "rhombic_dodecahedron", "Rhombic dodecahedron struts", rhombic_dodecahedron,
        bonds(_FCC + _CENTRE, _OCTANTS, 0.1875**0.5), (0.45, 0.88),
        Laws(
            level=(-0.010914, 0.22749, -0.14652, 0.16297),
            pore=(1.1327, -2.5052, 3.8385, -2.3379),
            strut=(-0.15518, 1.1296, -1.42, 1.0087),
            least=(-1.7082, 8.9246, -14.26, 7.8972),
            throat=(0.38965, -0.19731, -0.21592, -0.0083184),
        ),
    ),
    _cell(
        "kelvin", "Kelvin struts", kelvin, bonds(_KELVIN, _KELVIN, 0.125**0.5), (0.45, 0.88),
        Laws(
            level=(-0.024536, 0.36189, -0.34256, 0.33065),
            pore=(0.90456, 0.31234, -1.6545, 0.89488),
            strut=(-0.085374, 0.89566, -0.96221, 0.85805),
            least=(-0.086159, 0.90856, -0.98811, 0.82492),
            throat=(0.69484, -0.91863, 1.0458, -0.87715),
        ),
    ),
    _cell(
        "cubic", "Cubic struts", cubic, bonds(_CORNER, _CORNER, 1.0), (0.45, 0.88),
        Laws(
            level=(-0.017162, 0.44535, -0.21776, 0.26822),
            pore=(1.3602, -0.57749, -0.80939, 0.40774),
            strut=(0.035158, 0.56096, 0.021841, 0.54658),
            least=(-0.017046, 0.79737, -0.26937, 0.44059),
            throat=(1.0368, -0.89622, 0.44083, -0.53743),
        ),
    ),
)  # fmt: skip
