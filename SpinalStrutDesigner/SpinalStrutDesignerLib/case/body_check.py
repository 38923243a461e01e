"""Whether a vertebral body was found about a person's click."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import CaseError
from .levels import is_above
from .model import Mask, Volume
from .star import Star
from .stations import Spine, Station

# Measured on test cases and a real scan: standing bodies 0.28 (osteopenic, 2.5 mm slices) to 0.96.
_LEAST_EDGE = 0.2
# The same: of what their surfaces enclose 0.15 at most is softer than marrow, of destroyed ones mostly 0.28 to 0.57.
# Where a piece of one stood it had 0.6 of an adult's mean width and depth; engineering judgement: whole ones have more.
_MOST_SOFT, _LEAST_SIZE = 0.25, 0.65
# A body and the disc below it make up a pitch, whose measure is within 0.84 and 1.17 of the true one. Standing bodies
# are 0.9 to 1.3 times as high over their width and depth as adults' on average (measured on the test cases).
_MOST_HEIGHT, _MOST_SLENDER = 1.25, 1.5
# Of a body's inside the cut has 0.92 and more where it is right, and 0 where the arch alone was taken (measured on the
# test cases, 3 mm slices among them). Screws in it may take a tenth.
_LEAST_FILLED = 0.75


def check_body(hu: Volume, soft_hu: float, own: Station, spine: Spine, seeds: Mapping[str, np.ndarray]) -> None:
    """Raises CaseError where no body stands about the seed of own, and where another seed contradicts it.

    hu: the CT about it; soft_hu: below it is no marrow; spine: what is usual there; seeds: level to (3,) RAS mm.
    """
    level = own.level
    place = ", ".join(f"{x:.1f}" for x in seeds[level])
    if own.star is None or own.star.depth_of(seeds[level][None])[0] < -1.0:
        ends = own.frame.at(seeds[level]).to_ras(np.outer([-0.5, 0.5], [0.0, 0.0, spine.body[2]]))
        if not np.isfinite(hu.sample(ends)).all():
            raise CaseError(
                f"no whole body of {level} was found about its seed at ({place}) RAS: the image ends within "
                f"{spine.body[2] / 2.0:.0f} mm of it; scan the whole vertebra, or choose another docking level"
            )
        raise CaseError(
            f"no vertebral body of {level} was found about its seed at ({place}) RAS: one of the size of {spine.whose} "
            "was looked for; click into the middle of the body, or choose another docking level if it is destroyed"
        )
    if own.star.edge < _LEAST_EDGE:
        raise CaseError(
            f"{level} is destroyed too far to dock on, or its seed at ({place}) RAS lies in no body: only "
            f"{own.star.edge:.0%} of a body's surface show an edge; choose another docking level or label it by hand"
        )
    soft = own.star.soft_share(hu, soft_hu)
    if soft > _MOST_SOFT:
        raise CaseError(
            f"{level} is destroyed too far to dock on, or its seed at ({place}) RAS lies in no body: {soft:.0%} of "
            f"what was found there is softer than {soft_hu:.0f} HU; click into the middle of the body, or choose "
            "another level"
        )
    width, depth, height = own.star.extent
    size = float(np.sqrt(np.prod((own.star.extent / spine.body)[:2])))
    if size < _LEAST_SIZE:
        raise CaseError(
            f"only a piece of {level} was found about its seed at ({place}) RAS: {width:.0f} mm wide and {depth:.0f} "
            f"mm deep, {size:.0%} of {spine.whose}; click into the middle of the body, or choose another level if it "
            "is destroyed"
        )
    slender = float(height / np.sqrt(width * depth) / (spine.body[2] / np.sqrt(spine.body[0] * spine.body[1])))
    if height > _MOST_HEIGHT * spine.pitch_mm or slender > _MOST_SLENDER:
        raise CaseError(
            f"what was found about the seed of {level} at ({place}) RAS is {height:.0f} mm high and {width:.0f} mm "
            f"wide ({size:.0%} of {spine.whose}), {slender:.1f} times as slender as usual; {spine.spacing}: it seems "
            "to span a disc; click into the middle of the body, or label it by hand"
        )
    _check_others(own, own.star, seeds)


def check_cut(star: Star, mask: Mask, level: str) -> None:
    """Raises CaseError where what was cut out leaves much of the vertebra's own body behind."""
    points = star.within
    inverse = np.linalg.inv(mask.ijk_to_ras)
    kji = np.rint(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)[:, ::-1]
    inside = ((kji >= 0) & (kji < mask.voxels.shape)).all(axis=1)
    share = float(mask.voxels[tuple(kji[inside].T)].sum() / len(points))
    if share < _LEAST_FILLED:
        raise CaseError(
            f"{level}'s body was found, but only {share:.0%} of it could be cut from what stands about it: label it by "
            "hand, or choose another docking level"
        )


def _check_others(own: Station, star: Star, seeds: Mapping[str, np.ndarray]) -> None:
    """Raises CaseError where another level's seed lies in this body, or on its wrong side."""
    for other, seed in seeds.items():
        if other == own.level:
            continue
        if star.depth_of(seed[None])[0] > 0.0:
            raise CaseError(
                f"the seeds of {own.level} and {other} lie in one vertebra; click into each vertebra's own body"
            )
        up = float((seed - seeds[own.level]) @ own.frame.out)
        if (up > 0.0) != is_above(other, own.level):
            where = "above" if up > 0.0 else "below"
            raise CaseError(
                f"the seed of {other} lies {where} that of {own.level}: the two are swapped, or the image is upside "
                "down; check the levels' names"
            )
