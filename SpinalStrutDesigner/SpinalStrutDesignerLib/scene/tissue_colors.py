"""The colour in which a structure is drawn, by its name and what it is; as anatomists draw it."""

from __future__ import annotations

from ..case.levels import LEVELS
from ..case.model import Role

Color = tuple[float, float, float]

SEEN_THROUGH = 0.15
"""Opacity in 3D of what lies in front of the spine."""
# Neighbours differ, so that it is seen where one vertebra ends and the next begins.
_VERTEBRAE: tuple[Color, Color] = ((0.93, 0.87, 0.75), (0.80, 0.74, 0.58))
_NAMED: dict[str, Color] = {
    "discs": (0.55, 0.70, 0.80), "spinal_cord": (0.95, 0.85, 0.35), "dural_sac": (0.90, 0.80, 0.55),
    "spinal_canal": (0.95, 0.85, 0.35), "airway": (0.60, 0.85, 0.95), "trachea_airway": (0.60, 0.85, 0.95),
    "oesophagus": (0.85, 0.55, 0.45), "carotids": (0.85, 0.20, 0.20), "vertebral_arteries": (0.85, 0.20, 0.20),
    "great_vessels": (0.80, 0.25, 0.25), "contrast_vessels": (0.85, 0.20, 0.20), "jugulars": (0.30, 0.40, 0.85),
    "larynx_cartilage": (0.65, 0.80, 0.75), "lungs": (0.80, 0.65, 0.70), "other_bone": (0.88, 0.82, 0.72),
}  # fmt: skip
_BY_ROLE: dict[Role, Color] = {
    "bone": _VERTEBRAE[0], "disc": (0.55, 0.70, 0.80), "keepout_critical": (0.75, 0.60, 0.60),
    "keepout_soft": (0.75, 0.60, 0.60), "metal": (0.45, 0.55, 0.75),
}  # fmt: skip


def color_of(name: str, role: Role | None, level: str | None = None) -> Color:
    """(red, green, blue), each 0 to 1, of a structure; vertebrae have two shades by turns."""
    if level is not None:
        return _VERTEBRAE[LEVELS.index(level) % 2]
    return _NAMED.get(name) or _BY_ROLE[role or "keepout_soft"]


def opacity_of(role: Role | None) -> float:
    """Opacity in 3D, 0 to 1: bone and metal are solid, all else is seen through."""
    return 1.0 if role in ("bone", "metal") else SEEN_THROUGH
