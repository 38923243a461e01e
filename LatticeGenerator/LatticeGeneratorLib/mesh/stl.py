"""STL files: written binary in LPS millimetres, read in either form and frame."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..errors import GeometryError
from .mesh import Mesh
from .weld import welded

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER = "SPACE=LPS UNIT=mm"
_RAS_LPS = np.array([-1.0, -1.0, 1.0])  # turns RAS into LPS and back: half a turn about z, so faces keep their sense


def write_stl(path: str | Path, mesh: Mesh, note: str = "") -> None:
    """Writes the mesh, given in RAS mm, as binary STL in LPS mm; the header says so (SPACE=LPS UNIT=mm) before the
    note.

    Raises GeometryError where the note does not fit into the rest of the header's 80 bytes as ASCII.
    """
    header = f"{_HEADER} {note}".rstrip()
    if not header.isascii() or len(header) > 80:
        raise GeometryError(f"the STL note '{note}' is longer than {79 - len(_HEADER)} ASCII characters: shorten it")
    corners = (mesh.vertices * _RAS_LPS).astype("<f4")[mesh.faces]
    records = np.zeros(len(mesh.faces), _RECORD)
    records["corners"] = corners
    records["normal"] = _unit_normals(corners.astype(np.float64))
    with Path(path).open("wb") as file:
        file.write(header.encode("ascii").ljust(80))
        file.write(np.uint32(len(records)).astype("<u4").tobytes())
        file.write(records.tobytes())


def read_stl(path: str | Path) -> Mesh:
    """The mesh of an ASCII or binary STL file, in RAS mm, with equal vertices made one.

    The frame is what the header names first (SPACE=RAS or SPACE=LPS), LPS where it names none. Raises GeometryError
    if the file is not STL, cut short or without faces.
    """
    path = Path(path)
    content = path.read_bytes()
    corners, title = _binary_corners(content) or _ascii_corners(content, path)
    if len(corners) == 0:
        raise GeometryError(f"'{path.name}' holds no triangles: export the surface again")
    points, index = welded(corners.reshape(-1, 3))
    vertices = points.astype(np.float64)
    # The first frame named counts: a note that follows may speak of another.
    named = re.search("SPACE=(RAS|LPS)", title.upper())
    if named is None or named[1] == "LPS":
        vertices = vertices * _RAS_LPS + 0.0
    faces = index.reshape(-1, 3)
    a, b, c = faces.T
    return Mesh(vertices, faces[(a != b) & (b != c) & (c != a)])


def _binary_corners(content: bytes) -> tuple[np.ndarray, str] | None:
    if len(content) < 84:
        return None
    count = int(np.frombuffer(content, "<u4", 1, 80)[0])
    if len(content) != 84 + count * _RECORD.itemsize:
        return None
    records = np.frombuffer(content, _RECORD, count, 84)
    return records["corners"].astype(np.float32), content[:80].decode("ascii", "replace")


def _ascii_corners(content: bytes, path: Path) -> tuple[np.ndarray, str]:
    refused = f"'{path.name}' is not a whole STL file ({len(content)} bytes): export it again"
    if not content.lstrip().lower().startswith(b"solid"):
        raise GeometryError(refused)
    lines = content.decode("ascii", "replace").splitlines()
    try:
        numbers = [line.split()[1:4] for line in lines if line.split()[:1] == ["vertex"]]
        corners = np.array(numbers, dtype=np.float64).astype(np.float32).reshape(-1, 3, 3)
    except ValueError as error:
        raise GeometryError(refused) from error
    if not content.rstrip().lower().split(b"\n")[-1].lstrip().startswith(b"endsolid"):
        raise GeometryError(refused)
    return corners, "\n".join(lines[:2])


def _unit_normals(corners: np.ndarray) -> np.ndarray:
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
