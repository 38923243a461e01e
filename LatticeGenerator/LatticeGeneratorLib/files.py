"""The files by which a process that orders a lattice and the one that makes it speak."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from .errors import GeometryError
from .export.three_mf import can_write_3mf, write_beams_3mf
from .infill.as_made import AsMade, as_made_from_json
from .infill.beams import Beams, beams_of
from .infill.order import Delivery, Order, order_from_json
from .mesh.mesh import Mesh
from .mesh.npz import read_npz, write_npz
from .mesh.shown import shown_mesh
from .mesh.stl import read_stl

BODY, ORDER = "body.npz", "order.json"
_ATTACHED = "attached.npz"
_LATTICE, _SHOWN, _MEASURED = "lattice.npz", "shown.npz", "measured.json"
BEAMS = "beams.3mf"


@dataclass(frozen=True, eq=False)
class Made:
    """What came back. mesh: the lattice, RAS mm; shown: as views draw it, thinned out if it is large; beams: of strut
    cells, where their file can be written."""

    mesh: Mesh
    shown: Mesh
    measured: AsMade
    beams: Beams | None = None

    @classmethod
    def of(cls, delivery: Delivery) -> Made:
        """A delivery made ready to be shown."""
        mesh = delivery.lattice.mesh
        beams = beams_of(delivery.lattice, delivery.region) if can_write_3mf() else None
        return cls(mesh, shown_mesh(mesh), delivery.measured, beams)


def write_order(folder: str | Path, body: Mesh, order: Order) -> None:
    """Writes a body and what to make of it; surfaces and volumes that the order names lie beside it."""
    write_npz(Path(folder) / BODY, body)
    arrays: dict[str, Any] = order.arrays()
    if arrays:
        np.savez_compressed(Path(folder) / _ATTACHED, **arrays)
    else:
        (Path(folder) / _ATTACHED).unlink(missing_ok=True)
    (Path(folder) / ORDER).write_text(order.to_json(), encoding="utf-8", newline="\n")


def read_body(path: str | Path) -> Mesh:
    """A body from a file of `write_order`, or from STL. Raises GeometryError where there is none."""
    return read_stl(path) if Path(path).suffix.lower() == ".stl" else read_npz(path)


def read_order(path: str | Path) -> Order:
    """An order from a file, with what lies beside it. Raises GeometryError where there is none."""
    try:
        return order_from_json(Path(path).read_text(encoding="utf-8"), _attached(Path(path).parent / _ATTACHED))
    except OSError as error:
        raise GeometryError(f"'{path}' cannot be read: {error.strerror}") from error


def _attached(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise GeometryError(f"'{path.name}' holds nothing that an order could name: {error}") from error


def write_made(folder: str | Path, made: Made) -> None:
    """Writes what was made; the folder is made if it is not there. Where writing fails, it is as it was before."""
    place = Path(folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as folder:
        begun = Path(folder)
        write_npz(begun / _LATTICE, made.mesh)
        if made.shown is not made.mesh:
            write_npz(begun / _SHOWN, made.shown)
        (begun / _MEASURED).write_text(made.measured.to_json(), encoding="utf-8", newline="\n")
        if made.beams is not None:
            write_beams_3mf(begun / BEAMS, made.beams, "lattice")
        place.mkdir(exist_ok=True)
        # What an earlier order left of them would be taken for this one's.
        for name in (_SHOWN, BEAMS):
            (place / name).unlink(missing_ok=True)
        for file in sorted(begun.iterdir()):
            file.replace(place / file.name)


def read_made(folder: str | Path) -> Made:
    """What `write_made` wrote, but for the beams, which are for other programs.

    Raises GeometryError where there is nothing of the kind.
    """
    place = Path(folder)
    mesh = read_npz(place / _LATTICE)
    shown = read_npz(place / _SHOWN) if (place / _SHOWN).exists() else mesh
    return Made(mesh, shown, as_made_from_json((place / _MEASURED).read_text(encoding="utf-8")))
