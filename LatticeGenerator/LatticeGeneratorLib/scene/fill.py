"""A lattice made as the choices in the scene say, and what was made remembered with them."""

from __future__ import annotations

from typing import Any

from ..files import Made
from ..infill.as_made import AsMade
from ..infill.order import Order, deliver
from ..progress import Progress, silent
from .lattice_nodes import show_made
from .wishes import Body, body_of, order_of


def fill_as_chosen(parameters: Any, progress: Progress = silent) -> AsMade:
    """Makes the chosen lattice, shows it and returns what was measured on it; all is done when it returns.

    parameters: the module's wrapped parameter node. Raises GeometryError with the remedy.
    """
    order, body = order_of(parameters), body_of(parameters)
    made = Made.of(deliver(body.mesh, order, progress))
    remember(parameters, made, order, body)
    return made.measured


def remember(parameters: Any, made: Made, order: Order, body: Body) -> None:
    """Shows a lattice in the scene and keeps what was measured on it, and what it was made of, with the choices."""
    show_made(parameters, made, order, body)
    parameters.madeOrder, parameters.madeFrom = order.to_json(), body.fingerprint
    parameters.measured = made.measured.to_json()
