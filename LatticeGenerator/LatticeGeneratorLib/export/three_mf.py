"""3MF files, by lib3mf: bodies as meshes, strut lattices as beams (beam lattice extension)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GeometryError
from ..infill.beams import Beams
from ..mesh.mesh import Mesh

_RAS_LPS = np.array([-1.0, -1.0, 1.0])  # turns RAS into LPS and back: half a turn about z, so faces keep their sense
_FRAME = "SPACE=LPS UNIT=mm"
_LEAST_LENGTH_MM = 1e-3  # of a beam, as the file says too: far below the spot of any laser
_DECIMALS = 6
# As lib3mf's own structures lie in memory.
_POSITION = np.dtype([("at", "<f4", 3)])
_TRIANGLE = np.dtype([("corners", "<u4", 3)])
_BEAM = np.dtype([("nodes", "<u4", 2), ("radii", "<f8", 2), ("caps", "<i4", 2)])


@dataclass(frozen=True, eq=False)
class Contents:
    """What lib3mf reads in a file. unit: its name; note: the description; meshes: those that are built and have faces,
    RAS mm; lattices: of the beam lattices their nodes (n, 3) RAS mm, pairs (m, 2), radii (m, 2) and the mesh they are
    clipped to, if any; warnings: what lib3mf found wrong."""

    unit: str
    note: str
    meshes: tuple[Mesh, ...]
    lattices: tuple[tuple[np.ndarray, np.ndarray, np.ndarray, Mesh | None], ...]
    warnings: tuple[str, ...]


def can_write_3mf() -> bool:
    """Whether lib3mf is installed."""
    return importlib.util.find_spec("lib3mf") is not None


def write_mesh_3mf(path: str | Path, mesh: Mesh, name: str) -> None:
    """Writes a body, given in RAS mm, in LPS mm; the file's description says so.

    Raises GeometryError where lib3mf is missing or finds fault with the file.
    """

    def build(model: Any) -> None:
        model.AddBuildItem(_add_mesh(model, mesh, name), _wrapper().GetIdentityTransform())

    _write(Path(path), name, build)


def write_beams_3mf(path: str | Path, beams: Beams, name: str) -> None:
    """Writes a strut lattice, given in RAS mm, as beams in LPS mm, clipped to the inside of its domain.

    Raises GeometryError where a beam is too short, or lib3mf is missing or finds fault with the file.
    """
    lengths = np.linalg.norm(np.subtract(*beams.nodes[beams.pairs.T]), axis=1)
    if len(lengths) == 0 or lengths.min() < _LEAST_LENGTH_MM:
        raise GeometryError(f"the lattice '{name}' has no beams, or beams below {_LEAST_LENGTH_MM:g} mm: merge nodes")

    def build(model: Any) -> None:
        """Adds the lattice and what clips it to a model."""
        import lib3mf

        wrapper = _wrapper()
        # What clips has to stand in the file before what it clips.
        clip = _add_mesh(model, beams.clip, f"{name}: domain")
        built = _add_mesh(model, Mesh(beams.nodes, np.zeros((0, 3), int)), name)
        lattice = built.BeamLattice()
        lattice.SetMinLength(_LEAST_LENGTH_MM)
        records = np.zeros(len(beams.pairs), _BEAM)
        records["nodes"], records["radii"] = beams.pairs, beams.radii[:, None]
        records["caps"] = int(lib3mf.BeamLatticeCapMode.Sphere)
        lattice.SetBeams(_as_structures(records, lib3mf.Beam))
        lattice.SetClipping(lib3mf.BeamLatticeClipMode.Inside, clip.GetUniqueResourceID())
        model.AddBuildItem(built, wrapper.GetIdentityTransform())

    _write(Path(path), name, build)


def read_3mf(path: str | Path) -> Contents:
    """What a file holds, read strictly. Raises GeometryError where lib3mf is missing or cannot read it."""
    model, warnings = _read_strictly(Path(path))
    import lib3mf

    meshes, lattices = [], []
    items = model.GetBuildItems()
    while items.MoveNext():
        held = model.GetMeshObjectByID(items.GetCurrent().GetObjectResource().GetUniqueResourceID())
        if held.GetTriangleCount():
            meshes.append(_mesh_of(held))
        if held.BeamLattice().GetBeamCount():
            lattices.append(_lattice_of(model, held))
    return Contents(lib3mf.ModelUnit(model.GetUnit()).name, _note_of(model), tuple(meshes), tuple(lattices), warnings)


def _wrapper() -> Any:
    try:
        import lib3mf
    except ImportError as error:
        raise GeometryError("3MF files need lib3mf: install it with 'pip install lib3mf', or write STL") from error
    return lib3mf.get_wrapper()


def _read_strictly(path: Path) -> tuple[Any, tuple[str, ...]]:
    """lib3mf's model of a file, and what it found wrong."""
    wrapper = _wrapper()
    import lib3mf

    model = wrapper.CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    try:
        reader.ReadFromFile(str(path))
    except lib3mf.ELib3MFException as error:
        raise GeometryError(f"'{path.name}' is no 3MF file that can be read: {error}") from error
    return model, tuple(str(reader.GetWarning(n)) for n in range(reader.GetWarningCount()))


def _write(path: Path, name: str, build: Callable[[Any], None]) -> None:
    """Writes what `build` adds to a model, reads it again, and puts it in place only if nothing is wrong with it."""
    wrapper = _wrapper()
    import lib3mf

    begun = path.with_name(f".{path.name}.part")
    try:
        model = wrapper.CreateModel()
        model.SetUnit(lib3mf.ModelUnit.MilliMeter)
        model.GetMetaDataGroup().AddMetaData("", "Title", name, "xs:string", False)
        model.GetMetaDataGroup().AddMetaData("", "Description", f"{_FRAME} {name}", "xs:string", False)
        build(model)
        writer = model.QueryWriter("3mf")
        writer.SetDecimalPrecision(_DECIMALS)
        writer.WriteToFile(str(begun))
        warnings = _read_strictly(begun)[1]
        if warnings:
            raise GeometryError(f"the 3MF file '{path.name}' is faulty: {'; '.join(warnings[:3])}")
        begun.replace(path)
    except lib3mf.ELib3MFException as error:
        raise GeometryError(f"the 3MF file '{path.name}' cannot be written: {error}") from error
    finally:
        begun.unlink(missing_ok=True)


def _add_mesh(model: Any, mesh: Mesh, name: str) -> Any:
    import lib3mf

    points, faces = np.zeros(len(mesh.vertices), _POSITION), np.zeros(len(mesh.faces), _TRIANGLE)
    points["at"], faces["corners"] = mesh.vertices * _RAS_LPS, mesh.faces
    held = model.AddMeshObject()
    held.SetName(name)
    held.SetGeometry(_as_structures(points, lib3mf.Position), _as_structures(faces, lib3mf.Triangle))
    return held


def _as_structures(records: np.ndarray, kind: Any) -> Any:
    """The records as a ctypes array of lib3mf's structure, without a copy."""
    return (kind * len(records)).from_buffer(records) if len(records) else []


def _of_structures(held: list[Any], kind: Any, dtype: np.dtype) -> np.ndarray:
    return np.frombuffer((kind * len(held))(*held), dtype) if held else np.zeros(0, dtype)


def _mesh_of(held: Any) -> Mesh:
    import lib3mf

    points = _of_structures(held.GetVertices(), lib3mf.Position, _POSITION)["at"]
    faces = _of_structures(held.GetTriangleIndices(), lib3mf.Triangle, _TRIANGLE)["corners"]
    return Mesh(points * _RAS_LPS + 0.0, faces.reshape(-1, 3))


def _lattice_of(model: Any, held: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, Mesh | None]:
    import lib3mf

    lattice = held.BeamLattice()
    records = _of_structures(lattice.GetBeams(), lib3mf.Beam, _BEAM)
    mode, number = lattice.GetClipping()
    inside = mode in (lib3mf.BeamLatticeClipMode.Inside, int(lib3mf.BeamLatticeClipMode.Inside))
    clip = _mesh_of(model.GetMeshObjectByID(number)) if inside else None
    return _mesh_of(held).vertices, records["nodes"].astype(np.int64), records["radii"].copy(), clip


def _note_of(model: Any) -> str:
    group = model.GetMetaDataGroup()
    entries = (group.GetMetaData(n) for n in range(group.GetMetaDataCount()))
    return next((entry.GetValue() for entry in entries if entry.GetName() == "Description"), "")
