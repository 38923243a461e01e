"""How a lattice ends: with a skin, with a rounded frame that has windows for powder, or growing into a solid; how it is
joined to the rest of its body says `joined`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from ..errors import GeometryError
from ..field.combine import smooth_difference, smooth_maximum
from ..field.distance import inside
from ..field.grid import Grid
from ..field.isosurface import isosurface
from ..field.sampled import Sampled, coarse_grid, distance_to, signed_distance_to
from ..mesh.mesh import Mesh
from .attached import Arrays
from .faces import Everywhere, Faces, faces_from_record
from .joined import Rest, beside
from .solids import Layer, Solids
from .windows import windows_in

# A layer's depth is sampled in so many steps to its thickness: inner edges are rounded by a third of a step.
_STEPS_A_LAYER = 4.0
_FINEST_MM, _MOST_POINTS = 0.1, 2_000_000
# Powder leaves by holes of 2 mm and more; below that it sinters shut or bridges (verify locally with the printer's
# own guide).
LEAST_WINDOW_MM = 2.0
_REACH_STEPS = 2.0
# An edge is rounded on a grid of a third of its radius; what that bevels comes on top: a tenth of the radius.
_ROUNDING_SHARE = 4.0 / 3.0
_FLOOR_STEPS = 1.5  # the thinnest layer that a grid shows wherever its points lie


class Finish(Protocol):
    """A way for a lattice to end."""

    def moved(self, matrix: np.ndarray) -> Finish:
        """The finish moved by a 4x4 rigid matrix."""

    def record(self) -> dict[str, Any]:
        """As JSON values, as `finish_from_record` reads them."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What the record names and does not hold."""


@dataclass(frozen=True)
class Skin:
    """A solid layer under the chosen faces, so thick, that the lattice meets with a fillet of that radius.

    A skin all round shuts powder in: it is refused when the lattice is made. Leave a face open.
    """

    thickness_mm: float = 0.5
    faces: Faces = field(default_factory=Everywhere)
    fillet_mm: float = 0.15

    def __post_init__(self) -> None:
        _positive("a skin's thickness", self.thickness_mm)
        _not_negative("a skin's fillet", self.fillet_mm)

    def layer(self, domain: Mesh, border: Mesh, reach: float) -> Layer:
        """The skin of a closed domain, under its border or some of it; reach: mm beyond it to which its depth is asked
        for."""
        reach = self.thickness_mm + max(self.fillet_mm, reach)
        depth = _depth(self.faces.of(border), domain, self.thickness_mm, reach)
        return _plain(depth, self.thickness_mm, self.fillet_mm)

    def moved(self, matrix: np.ndarray) -> Skin:
        """As `Finish`."""
        return replace(self, faces=self.faces.moved(matrix))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "finish": "skin",
            "thickness_mm": self.thickness_mm,
            "faces": self.faces.record(),
            "fillet_mm": self.fillet_mm,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """As `Finish`."""
        return self.faces.arrays()


@dataclass(frozen=True)
class Frame:
    """A solid layer under the chosen faces with rounded edges, where a cut strut would face soft tissue, and round
    windows through it, as close together as the bridges between them allow.

    thickness_mm: of the layer; window_mm: across a window; bridge_mm: least solid between two windows and between a
    window and the edge of the faces; rounding_mm: radius of the edges; fillet_mm: radius with which the lattice meets
    it. Within the windows no lattice is left.
    """

    faces: Faces
    thickness_mm: float = 1.0
    window_mm: float = 2.5
    bridge_mm: float = 1.0
    rounding_mm: float = 0.3
    fillet_mm: float = 0.15

    def __post_init__(self) -> None:
        _positive("a frame's thickness", self.thickness_mm)
        _positive("a frame's bridge", self.bridge_mm)
        _not_negative("a frame's fillet", self.fillet_mm)
        if not self.window_mm >= LEAST_WINDOW_MM:
            raise GeometryError(
                f"windows of {self.window_mm:g} mm hold powder back: take at least {LEAST_WINDOW_MM:g} mm"
            )
        most = 0.5 * min(self.thickness_mm, self.bridge_mm)
        if not 0.0 <= self.rounding_mm <= most:
            raise GeometryError(
                f"edges of a frame {self.thickness_mm:g} mm thick with bridges of {self.bridge_mm:g} mm can be rounded "
                f"by up to {most:g} mm, not {self.rounding_mm:g} mm"
            )

    def layer(self, domain: Mesh, border: Mesh, reach: float) -> Layer:
        """The frame of a closed domain, under its border or some of it; reach: mm beyond it to which its depth is asked
        for."""
        face = self.faces.of(border)
        finest = min(self.thickness_mm, _ROUNDING_SHARE * self.rounding_mm or self.thickness_mm)
        depth = _depth(face, domain, finest, self.thickness_mm + max(self.fillet_mm, reach))
        windows = windows_in(face, self.window_mm, self.bridge_mm, 1.5 * self.thickness_mm + 1.0)
        rounded = _opened(domain, depth.grid, self.rounding_mm, self.thickness_mm)

        def solid(grid: Grid) -> np.ndarray:
            values = depth.on(grid)
            values -= np.float32(self.thickness_mm)
            values = smooth_difference(values, windows.on(grid), self.rounding_mm)
            return smooth_maximum(values, rounded.on(grid), self.rounding_mm)

        return Layer(depth, self.thickness_mm, solid, windows.on, self.fillet_mm)

    def moved(self, matrix: np.ndarray) -> Frame:
        """As `Finish`."""
        return replace(self, faces=self.faces.moved(matrix))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "finish": "frame",
            "faces": self.faces.record(),
            "thickness_mm": self.thickness_mm,
            "window_mm": self.window_mm,
            "bridge_mm": self.bridge_mm,
            "rounding_mm": self.rounding_mm,
            "fillet_mm": self.fillet_mm,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """As `Finish`."""
        return self.faces.arrays()


@dataclass(frozen=True)
class Transition:
    """Towards a solid the lattice grows as dense as its cell can be, over depth_mm, and meets it with a fillet.

    faces: those of the region beyond which the solid lies that the lattice will be joined to. There it gets a floor of
    its own, 0.15 mm thick or less, since a fillet that ended on the border itself would end in a feather. None: the
    solids are those that the same order speaks of, whose own fillets hold.
    """

    depth_mm: float = 1.0
    faces: Faces | None = None
    fillet_mm: float = 0.15

    def __post_init__(self) -> None:
        _positive("a transition's depth", self.depth_mm)
        _not_negative("a transition's fillet", self.fillet_mm)

    def layer(self, domain: Mesh, voxel: float) -> Layer | None:
        """The floor by which the lattice is joined to a solid beyond the chosen faces of a closed domain."""
        if self.faces is None:
            return None
        thickness = _FLOOR_STEPS * voxel
        depth = _depth(self.faces.of(domain), domain, thickness, thickness + max(self.fillet_mm, self.depth_mm))
        return _plain(depth, thickness, self.fillet_mm)

    def moved(self, matrix: np.ndarray) -> Transition:
        """As `Finish`."""
        return self if self.faces is None else replace(self, faces=self.faces.moved(matrix))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "finish": "transition",
            "depth_mm": self.depth_mm,
            "faces": None if self.faces is None else self.faces.record(),
            "fillet_mm": self.fillet_mm,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """As `Finish`."""
        return {} if self.faces is None else self.faces.arrays()


@dataclass(frozen=True, eq=False)
class Away:
    """A share that is 0 at the solids and 1 where it is so far from all of them. depths: with the mm under the faces
    at which each solid begins."""

    depths: tuple[tuple[Sampled, float], ...]
    reach: float

    def on(self, grid: Grid) -> np.ndarray:
        """As `Share`."""
        return self._of(np.minimum.reduce([depth.on(grid) - np.float32(start) for depth, start in self.depths]))

    def at(self, points: np.ndarray) -> np.ndarray:
        """As `Share`."""
        return self._of(np.minimum.reduce([depth.at(points) - start for depth, start in self.depths]))

    def _of(self, depth: np.ndarray) -> np.ndarray:
        return np.clip(depth / depth.dtype.type(self.reach), 0.0, 1.0)


def finished(
    domain: Mesh, finish: tuple[Finish, ...], voxel: float, rest: Rest | None = None
) -> tuple[Solids | None, Away | None]:
    """What is solid in a closed domain that is filled on a grid of `voxel` mm, and the share with which the lattice
    thins out away from it. rest: what it is joined to, and the domain reaches into.

    Raises GeometryError where a finish has no place there.
    """
    transitions = [part for part in finish if isinstance(part, Transition)]
    if len(transitions) > 1:
        raise GeometryError(f"a lattice has one transition, not {len(transitions)}: choose the faces of one")
    reach = max([part.depth_mm for part in transitions], default=0.0)
    layers = [] if rest is None else [rest.layer(domain, reach)]
    # What lies in the solid is no border.
    border = beside(domain, layers[0].depth) if layers else domain
    layers += [part.layer(domain, border, reach) for part in finish if isinstance(part, Skin | Frame)]
    layers += [floor for part in transitions if (floor := part.layer(domain, voxel)) is not None]
    if not layers:
        if transitions:
            raise GeometryError(
                "a transition needs a solid: choose the faces beyond which it lies, join it to the rest, or add a skin"
            )
        return None, None
    away = Away(tuple((layer.depth, layer.thickness) for layer in layers), reach) if transitions else None
    return Solids(tuple(layers)), away


def finish_from_record(record: dict[str, Any], arrays: Arrays) -> Finish:
    """What `record` wrote. Raises GeometryError for any other record."""
    kinds: dict[str, Any] = {"skin": Skin, "frame": Frame, "transition": Transition}
    values = dict(record)
    kind = values.pop("finish")
    if kind not in kinds:
        raise GeometryError(f"the finish '{kind}' is not known: choose {', '.join(kinds)}")
    faces = values.pop("faces", None)
    chosen = {} if faces is None else {"faces": faces_from_record(faces, arrays)}
    numbers = {name: float(value) for name, value in values.items()}
    made: Finish = kinds[kind](**chosen, **numbers)
    return made


def _plain(depth: Sampled, thickness: float, fillet: float) -> Layer:
    """A layer without windows."""

    def solid(grid: Grid) -> np.ndarray:
        values = depth.on(grid)
        values -= np.float32(thickness)
        return values

    return Layer(depth, thickness, solid, None, fillet)


def _depth(face: Mesh, domain: Mesh, finest: float, reach: float) -> Sampled:
    """mm under faces of a closed domain, exact where they are flat; negative where they are what is nearest outside."""
    grid = coarse_grid(*domain.bounds, max(_FINEST_MM, finest / _STEPS_A_LAYER), _MOST_POINTS)
    reach += _REACH_STEPS * grid.spacing
    values = distance_to(face, grid, reach).values
    border = values if face is domain else distance_to(domain, grid, reach).values
    # Beside the faces the depth must not change its sign: it would be nought on all the border.
    out = ~inside(domain, grid) & (values <= border + np.float32(1e-3 * grid.spacing))
    np.negative(values, out=values, where=out)
    return Sampled(values, grid)


def _opened(domain: Mesh, grid: Grid, radius: float, reach: float) -> Sampled:
    """Signed distance to the border of a closed domain whose edges have been rounded to a radius, mm."""
    reach += _REACH_STEPS * grid.spacing
    border = signed_distance_to(domain, grid, reach)
    if radius <= 0.0:
        return border
    # A ball of the radius rolled round inside: as far outside what lies that deep.
    deep = border.values + np.float32(radius)
    if not (deep < 0.0).any():
        raise GeometryError(f"the region is too thin for edges rounded by {radius:g} mm: round them less")
    values = signed_distance_to(isosurface(deep, grid), grid, reach + radius).values
    values -= np.float32(radius)
    return Sampled(values, grid)


def _positive(name: str, value: float) -> None:
    if not 0.0 < value < np.inf:
        raise GeometryError(f"{name} must be above 0 mm, not {value:g} mm")


def _not_negative(name: str, value: float) -> None:
    if not 0.0 <= value < np.inf:
        raise GeometryError(f"{name} must not be below 0 mm, as {value:g} mm is")
