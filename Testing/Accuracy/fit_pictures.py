"""Pictures of the free room across an axis, place by place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from brute_force import Space
from SpinalStrutDesignerLib.plan.curve import AxisCurve
from SpinalStrutDesignerLib.plan.section import section_distance
from SpinalStrutDesignerLib.propose.free import FreeStation

_HALF_MM, _PIXEL_MM, _ACROSS = 20.0, 0.2, 8
_BLOCKED, _FREE, _SECTION, _WIDE, _DEEP = (90, 90, 90), (245, 245, 245), (60, 110, 200), (200, 60, 40), (40, 150, 60)


def draw(curve: AxisCurve, found: Sequence[FreeStation], room: Space, path: Path) -> None:
    """The plane across the axis at each of the curve's samples, the column below: blocked by the rules (dark), the
    section, and how wide (red) and deep (green) it could be."""
    ticks = np.arange(-_HALF_MM, _HALF_MM, _PIXEL_MM)
    u, v = np.meshgrid(ticks, ticks)
    tiles = []
    for i, station in enumerate(found):
        place = curve.points[i] + u[..., None] * curve.rights[i] + v[..., None] * curve.backs[i]
        tile = np.where((room.at(place) < 0.0)[..., None], _BLOCKED, _FREE)
        inside = section_distance(curve.section, u, v, curve.widths[i], curve.depths[i]) < 0.0
        tile[inside] = _SECTION
        thin = 2.0 * _PIXEL_MM
        tile[(np.abs(v) < thin) & (np.abs(u) < 0.5 * station.free_width_mm)] = _WIDE
        tile[(np.abs(u) < thin) & (np.abs(v) < 0.5 * station.free_depth_mm)] = _DEEP
        tile[[0, -1]] = tile[:, [0, -1]] = 0
        tiles.append(tile)
    while len(tiles) % _ACROSS:
        tiles.append(np.full_like(tiles[0], 255))
    lines = [np.concatenate(tiles[k : k + _ACROSS], axis=1) for k in range(0, len(tiles), _ACROSS)]
    picture = np.concatenate(lines, axis=0).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(picture, isVector=True), str(path))
