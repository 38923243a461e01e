"""A lattice as ordered, and as delivered: what is made of a body, and what was measured on it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from ..progress import Progress, portion, silent
from .as_made import AsMade, as_made
from .domain import checked_body, checked_domain
from .fill import fill, voxel_mm_for
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

    Raises GeometryError where the body cannot be filled (see `checked_domain`) or the lattice not be made in it.
    """
    progress("cutting", 0.0)
    checked_body(body, "the body")
    region = checked_domain(order.region.of(body), order.spec, voxel_mm_for(order.spec), "the region to fill")
    filling = portion(progress, 0.05, 0.4)
    lattice = fill(region, order.spec, lambda detail, fraction: filling("filling", fraction))
    return Delivery(lattice, region, as_made(lattice, region, portion(progress, 0.4, 1.0)))
