"""What a printer can make, and how what it makes differs from what was designed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..cells import Cell


@dataclass(frozen=True)
class Limit:
    """A length in mm and where it comes from; a source that says "verify locally" was not confirmed on the machine."""

    mm: float
    source: str


@dataclass(frozen=True)
class AsBuilt:
    """How much larger (smaller where negative) pores, or struts, come out than designed, from least to most.

    cells: whose, each a cell's name, its family (gyroid for both gyroids) or its kind (struts). part: which was
    measured. least_um, most_um: the spread over sizes and print directions.
    """

    cells: tuple[str, ...]
    part: Literal["pore", "strut"]
    least_um: float
    most_um: float
    source: str

    @property
    def middle_um(self) -> float:
        """Halfway between the ends: what is expected."""
        return 0.5 * (self.least_um + self.most_um)


@dataclass(frozen=True)
class Printer:
    """A machine with its material and process.

    least_strut, least_wall: the thinnest that may be designed; coupon_strut: struts thinner than this need a coupon
    that was printed and measured; as_built: the differences that are known, at most one for any cell.
    """

    name: str
    least_strut: Limit
    coupon_strut: Limit
    least_wall: Limit
    as_built: tuple[AsBuilt, ...] = ()

    def least(self, cell: Cell) -> Limit:
        """The limit that counts for a cell: that of walls for a sheet, else that of struts."""
        return self.least_wall if cell.kind == "sheet" else self.least_strut

    def difference(self, cell: Cell) -> AsBuilt | None:
        """How the cell comes out, by its name, else its family, else its kind; None where it is not known."""
        for key in (cell.name, cell.family, cell.kind):
            for entry in self.as_built:
                if key in entry.cells:
                    return entry
        return None


_UNLIMITED = Limit(0.0, "no limit: for benchmarks and studies, not for parts")

# For whoever knowingly makes what cannot be printed, a sheet of 0.15 mm walls to compare kernels with for example.
NO_LIMITS = Printer("no printer", _UNLIMITED, _UNLIMITED, _UNLIMITED)
