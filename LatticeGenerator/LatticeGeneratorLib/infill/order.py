"""A lattice as ordered, and as delivered: what is made of a body, and what was measured on it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from ..mesh.thin import thinned
from ..printing.catalogue import printer_named
from ..printing.printer import Printer
from ..progress import Progress, portion, silent
from .as_made import AsMade, as_made
from .attached import Arrays
from .design import Design
from .domain import checked_body, checked_domain, refuse_misfit
from .fill import fill, voxel_mm_of
from .finish import Finish, finish_from_record
from .graded import Graded, graded_from_record
from .joined import Joined, Rest, as_one
from .laid import UNTURNED, Laid, laid_from_record
from .lattice import Lattice
from .region import Region, Whole, region_from_record
from .spec import LatticeSpec

# Chord error of an implant's STL (clinical facts: 0.02 mm); a lattice's struts are some 0.3 mm thick.
_MOST_THINNED_MM = 0.02


@dataclass(frozen=True)
class Order:
    """What lattice, and where; graded, laid and finish as of a `Design`; joined: how it is to the rest of the body,
    None: the lattice alone is made; thinned_mm: how far the surface may depart from the one made to have fewer faces,
    None to leave it as made; printer: whose limits count, by its name in the catalogue, empty: the first."""

    spec: LatticeSpec
    region: Region
    graded: Graded | None = None
    laid: Laid = UNTURNED
    finish: tuple[Finish, ...] = ()
    joined: Joined | None = None
    thinned_mm: float | None = None
    printer: str = ""

    def __post_init__(self) -> None:
        if self.joined is not None and isinstance(self.region, Whole):
            raise GeometryError(
                "there is no rest of the body to join a lattice in all of it to: choose a shell, a layer next to a "
                "surface or a box"
            )
        if self.thinned_mm is not None and not 0.0 < self.thinned_mm <= _MOST_THINNED_MM:
            raise GeometryError(
                f"a lattice may be thinned out by more than 0 and at most {_MOST_THINNED_MM} mm, not {self.thinned_mm}"
            )

    @property
    def design(self) -> Design:
        """What lattice."""
        return Design(self.spec, self.graded, self.laid, self.finish)

    def to_json(self) -> str:
        """The order as text; the same order gives the same text. What is as usual is not spoken of."""
        record: dict[str, Any] = {"spec": asdict(self.spec), "region": self.region.record()}
        if self.graded is not None:
            record["graded"] = self.graded.record()
        if self.laid != UNTURNED:
            record["laid"] = self.laid.record()
        if self.finish:
            record["finish"] = [part.record() for part in self.finish]
        if self.joined is not None:
            record["joined"] = asdict(self.joined)
        if self.thinned_mm is not None:
            record["thinned_mm"] = self.thinned_mm
        if self.printer:
            record["printer"] = self.printer
        return json.dumps(record, sort_keys=True)

    def arrays(self) -> dict[str, np.ndarray]:
        """The surfaces and volumes that the text names and does not hold."""
        found = self.region.arrays() | self.laid.arrays()
        if self.graded is not None:
            found |= self.graded.arrays()
        for part in self.finish:
            found |= part.arrays()
        return found


@dataclass(frozen=True, eq=False)
class Delivery:
    """The lattice, the region it fills and what was measured on both; joined to the rest of its body the lattice is one
    with that."""

    lattice: Lattice
    region: Mesh
    measured: AsMade


def order_from_json(text: str, arrays: Arrays | None = None) -> Order:
    """The order that `to_json` wrote. Raises GeometryError for any other text.

    arrays: what `Order.arrays` gave; without them the order can be read and compared, but what it names not be used.
    """
    held: Arrays = arrays or {}
    try:
        data: dict[str, Any] = json.loads(text)
        return Order(
            LatticeSpec(**data["spec"]),
            region_from_record(data["region"], held),
            graded_from_record(data["graded"], held) if "graded" in data else None,
            laid_from_record(data["laid"], held) if "laid" in data else UNTURNED,
            tuple(finish_from_record(part, held) for part in data.get("finish", ())),
            Joined(**data["joined"]) if "joined" in data else None,
            data.get("thinned_mm"),
            str(data.get("printer", "")),
        )
    except GeometryError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GeometryError(f"the order of a lattice cannot be read: {error!r}") from error


def deliver(body: Mesh, order: Order, progress: Progress = silent) -> Delivery:
    """Fills the ordered region of a closed body and measures what came out.

    Raises GeometryError where the body cannot be filled (see `checked_domain`) or the lattice not be made in it.
    """
    progress("cutting", 0.0)
    printer = printer_named(order.printer)
    checked_body(body, "the body")
    voxel = voxel_mm_of(order.design)
    region = checked_domain(order.region.of(body), order.spec, voxel, "the region to fill")
    if order.graded is not None:
        refuse_misfit(region, order.graded.end, voxel, "the region to fill")
    filling = portion(progress, 0.05, 0.4)
    lattice = _filled(body, region, order, printer, lambda detail, fraction: filling("filling", fraction))
    if order.thinned_mm is not None:
        progress("thinning", 0.4)
        lattice = replace(lattice, mesh=thinned(lattice.mesh, order.thinned_mm).mesh)
    return Delivery(lattice, region, as_made(lattice, region, portion(progress, 0.4, 1.0)))


def _filled(body: Mesh, region: Mesh, order: Order, printer: Printer, progress: Progress) -> Lattice:
    """The lattice in the region, alone or as one body with what lies beyond."""
    if order.joined is None:
        return fill(region, order.design, progress, printer=printer)
    rest = Rest(order.region, body, order.joined.fillet_mm)
    return as_one(fill(rest.domain, replace(order.design, rest=rest), progress, printer=printer), rest.solid)
