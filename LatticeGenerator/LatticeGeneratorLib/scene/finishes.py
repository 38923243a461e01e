"""What the choices in a parameter node mean for how a lattice ends.

`parameters` is the module's wrapped parameter node, of whose fields these are read: where, joined, finish, side,
sidePlane, sideModel, solidThickness, windowSize, bridge, denser, transitionDepth.
"""

from __future__ import annotations

from typing import Any

from ..errors import GeometryError
from ..infill.along import Point, point_of
from ..infill.faces import Faces, Facing, Near
from ..infill.finish import Finish, Frame, Skin, Transition
from ..infill.joined import Joined
from .attached import surface_of

SIDES: dict[str, Point] = {
    "right": (1.0, 0.0, 0.0), "left": (-1.0, 0.0, 0.0), "anterior": (0.0, 1.0, 0.0), "posterior": (0.0, -1.0, 0.0),
    "superior": (0.0, 0.0, 1.0), "inferior": (0.0, 0.0, -1.0),
}  # fmt: skip
"""Directions of the patient by name, RAS."""

# Beyond this angle from where a skin's open side looks away, faces are left open: an end of a block, with its edges.
_ALL_BUT_DEG = 135.0
_ROUNDING_MM = 0.3  # of a frame's edges, where it is thick enough


def finish_of(parameters: Any) -> tuple[Finish, ...]:
    """How the lattice shall end. Raises GeometryError with the remedy."""
    parts = _covers(parameters)
    if parameters.finish == "transition":
        return (*parts, Transition(parameters.transitionDepth, _faces(parameters)))
    solid = bool(parts) or joined_of(parameters) is not None
    return (*parts, Transition(parameters.transitionDepth)) if solid and parameters.denser else parts


def joined_of(parameters: Any) -> Joined | None:
    """How the lattice shall be joined to the rest of its body; None where it shall not."""
    return Joined() if parameters.joined and parameters.where != "whole" else None


def _covers(parameters: Any) -> tuple[Finish, ...]:
    """The skin or the frame."""
    if parameters.finish == "skin":
        if parameters.side == "model":
            raise GeometryError("a skin is left open on a side, not near a model: choose another side")
        x, y, z = _direction(parameters)
        return (Skin(parameters.solidThickness, Facing((-x, -y, -z), _ALL_BUT_DEG)),)
    if parameters.finish == "frame":
        rounding = min(_ROUNDING_MM, 0.5 * parameters.solidThickness, 0.5 * parameters.bridge)
        faces = _faces(parameters)
        return (Frame(faces, parameters.solidThickness, parameters.windowSize, parameters.bridge, rounding),)
    return ()


def _faces(parameters: Any) -> Faces:
    if parameters.side != "model":
        return Facing(_direction(parameters))
    if parameters.sideModel is None:
        raise GeometryError("choose the model near which the side lies")
    return Near(surface_of(parameters.sideModel))


def _direction(parameters: Any) -> Point:
    if parameters.side != "plane":
        return SIDES[parameters.side]
    plane = parameters.sidePlane
    if plane is None:
        raise GeometryError("choose the plane whose normal points to the side, or place one")
    if not plane.GetIsPlaneValid():
        raise GeometryError(f"place the plane '{plane.GetName()}'")
    normal = [0.0, 0.0, 0.0]
    plane.GetNormalWorld(normal)
    return point_of(normal)
