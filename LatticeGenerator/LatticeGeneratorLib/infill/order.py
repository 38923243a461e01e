"""A lattice as ordered, and as delivered: what is made of a body, and what was measured on it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import GeometryError
from ..mesh.check import closed_manifold_fault
from ..mesh.mesh import Mesh
from ..mesh.pieces import pieces_of
from ..progress import Progress, portion, silent
from .as_made import AsMade, as_made
from .fill import fill
from .lattice import Lattice
from .region import Region, region_from_record
from .spec import LatticeSpec


@dataclass(frozen=True)
class Order:
    """What lattice, and where."""

    spec: LatticeSpec
    region: Region

    def to_json(self) -> str:
        """The order as text; the same order gives the same text."""
        return json.dumps({"spec": asdict(self.spec), "region": self.region.record()}, sort_keys=True)


@dataclass(frozen=True, eq=False)
class Delivery:
    """The lattice, the region it fills and what was measured on both."""

    lattice: Lattice
    region: Mesh
    measured: AsMade


def order_from_json(text: str) -> Order:
    """The order that `to_json` wrote. Raises GeometryError for any other text."""
    try:
        data: dict[str, Any] = json.loads(text)
        return Order(LatticeSpec(**data["spec"]), region_from_record(data["region"]))
    except GeometryError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise GeometryError(f"the order of a lattice cannot be read: {error!r}") from error


def deliver(body: Mesh, order: Order, progress: Progress = silent) -> Delivery:
    """Fills the ordered region of a closed body and measures what came out.

    Raises GeometryError where the body is not one closed piece or the lattice cannot be made in it.
    """
    progress("cutting", 0.0)
    checked_body(body, "the body")
    region = checked_body(order.region.of(body), "the region to fill")
    filling = portion(progress, 0.05, 0.4)
    lattice = fill(region, order.spec, lambda detail, fraction: filling("filling", fraction))
    return Delivery(lattice, region, as_made(lattice, region, portion(progress, 0.4, 1.0)))


def checked_body(mesh: Mesh, name: str) -> Mesh:
    """The mesh, if it is closed and of one piece. Raises GeometryError with the remedy if not."""
    fault = closed_manifold_fault(mesh)
    if fault:
        raise GeometryError(f"{name} cannot be filled: {fault}; close or repair its surface first")
    count = int((pieces_of(mesh).volumes > 0.0).sum())
    if count != 1:
        raise GeometryError(
            f"{name} cannot be filled: it is in {count} separate pieces, which no lattice would hold together; keep "
            "one of them, or join them"
        )
    return mesh
