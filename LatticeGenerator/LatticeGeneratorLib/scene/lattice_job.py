"""The making of a lattice as a command for a child process."""

from __future__ import annotations

from pathlib import Path

import LatticeGeneratorLib

from ..files import BODY, ORDER, write_order
from ..infill.order import Order
from ..mesh.mesh import Mesh
from .job import Job, folders_of


def lattice_job(body: Mesh, order: Order, workspace: str | Path) -> Job:
    """Fills a body as ordered. Writes both into workspace; the result comes into a folder of it."""
    place = Path(workspace)
    write_order(place, body, order)
    output = place / "made"
    arguments = (
        "-m", "LatticeGeneratorLib", str(place / BODY), str(place / ORDER), str(output), "--progress", "json",
    )  # fmt: skip
    return Job(arguments, folders_of(LatticeGeneratorLib), output)
