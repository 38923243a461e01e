"""The colours of structures in pictures: an anatomist's habits, by the group that a structure's name belongs to."""

from __future__ import annotations

from ..case.model import Structure
from ..plan.rules import group_of, plain_name
from .render import Colour

TITANIUM: Colour = (0.36, 0.52, 0.78)
SCREW: Colour = (0.86, 0.66, 0.20)
BONE: Colour = (0.93, 0.88, 0.78)
CONTACT: Colour = (0.86, 0.30, 0.10)
AXIS: Colour = (0.56, 0.06, 0.56)
CHORD: Colour = (0.02, 0.42, 0.24)

# Colour, opacity in the 3D pictures. Translucent structures are blended without regard to which lies in front: what
# must be seen to lie before or behind others is opaque.
_BY_GROUP: dict[str, tuple[Colour, float]] = {
    "spinal_cord": ((0.98, 0.80, 0.16), 1.0),
    "dural_sac": ((0.99, 0.88, 0.42), 0.35),
    "oesophagus": ((0.78, 0.42, 0.34), 0.42),
    "airway": ((0.35, 0.76, 0.86), 0.26),
    "larynx": ((0.55, 0.80, 0.72), 0.18),
    "carotids": ((0.86, 0.10, 0.14), 0.42),
    "vertebral_arteries": ((0.92, 0.32, 0.20), 1.0),
    "great_vessels": ((0.80, 0.14, 0.22), 0.34),
    "jugulars": ((0.27, 0.38, 0.74), 0.28),
    "heart": ((0.62, 0.12, 0.16), 0.30),
    "lungs": ((0.90, 0.72, 0.76), 0.10),
    "thyroid": ((0.66, 0.34, 0.50), 0.30),
}
_BY_ROLE: dict[str, tuple[Colour, float]] = {
    "bone": (BONE, 0.42),
    "disc": ((0.62, 0.74, 0.86), 0.28),
    "metal": ((0.35, 0.36, 0.38), 1.0),
    "keepout_critical": ((0.66, 0.20, 0.62), 0.40),
    "keepout_soft": ((0.50, 0.62, 0.42), 0.22),
}
_VEINS = ("vein", "cava", "jugular")


def look_of(structure: Structure) -> tuple[Colour, float]:
    """Colour and opacity of a structure: by its name's group, else by its role.

    Veins are blue; bone that is no vertebra (ribs, clavicles, sternum) is fainter than the spine behind it.
    """
    if structure.role == "bone" and structure.level is None:
        return BONE, 0.14
    if structure.role in ("bone", "disc", "metal"):
        return _BY_ROLE[structure.role]
    if any(word in structure.name.lower() for word in _VEINS):
        return _BY_GROUP["jugulars"]
    return _BY_GROUP.get(group_of(structure.name) or "", _BY_ROLE[structure.role])


def spoken(name: str) -> str:
    """A structure's name as a reader would write it."""
    return name.replace("_", " ")


def legend_name(structure: Structure) -> str:
    """What a structure is called beside its colour: its two sides are one there, and so are the lobes of the lungs."""
    return "lungs" if group_of(structure.name) == "lungs" else spoken(plain_name(structure.name))
