"""Meshes in numpy's own files, between processes: nothing is rounded and nothing turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import GeometryError
from .mesh import Mesh


def write_npz(path: str | Path, mesh: Mesh) -> None:
    """Writes a mesh, RAS mm."""
    np.savez(path, vertices=mesh.vertices, faces=mesh.faces)


def read_npz(path: str | Path) -> Mesh:
    """The mesh of a file. Raises GeometryError where it holds none."""
    try:
        with np.load(path, allow_pickle=False) as held:
            return Mesh(held["vertices"], held["faces"])
    except (OSError, ValueError, KeyError) as error:
        raise GeometryError(f"'{Path(path).name}' holds no mesh: {error}") from error
