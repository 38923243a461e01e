"""Spinous processes: whose the rearmost bone in the midplane is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .frame import Frame
from .model import Volume
from .stations import Station

_STEP_MM = 0.8
# Processes stray from the midplane by a few mm, and end within so many behind the body. Engineering judgement.
_ASIDE_MM, _BEHIND_MM, _ALONG_MM = 4.0, 70.0, 60.0
# Where the rearmost bone jumps forward by so much on the way down a process has ended and the next comes to light; back
# by more than a process slopes, where another begins. Engineering judgement.
_FORWARD_MM, _BACK_MM = 3.0, 6.0
_SHORTEST_MM = 5.0
_INTO_MM = 4.0  # a process is 6 to 9 mm deep where it is seen first
# From a lamina to the middle of its process there is bone, but for noise. Engineering judgement.
_LEAST_BONE = 0.9
# From the middle of the canal to the lamina behind it: half a canal's depth is 6 to 12 mm (clinical facts).
_TO_LAMINA_MM = (2.0, 16.0)
_PITCH = 1.2  # from one vertebra to the next in heights of a body, the disc being a fifth of it
# A run so many steps from one vertebra to the next long is two processes that touch: one shows 0.5 to 1.5 of a step.
_LONGEST_RUN, _PART_OF_RUN = 1.7, 0.8
# How far below its lamina, in such steps, the middle of a process shows. Measured from C3 to T12 of two test spines and
# a real scan: -0.1 to 1.2, from level to level alike. What lies farther off than the second is another's.
_BELOW, _OFF = 0.65, 0.77
_PIECE = 0.5  # what a further piece of a process counts beside its first: engineering judgement


@dataclass(frozen=True, eq=False)
class _Tip:
    """The rear of a process in rows; arches: station's number to how well it lies to that arch, from 0 to 1, and the
    row of its lamina."""

    rows: np.ndarray
    arches: dict[int, tuple[float, int]]


def spinous_points(solid: Volume, stations: list[Station]) -> list[np.ndarray]:
    """(n, 3) RAS mm for each station: the rear of its spinous process, where the one above does not cover it.

    The process above hangs behind the arch and touches it; in thick slices both are one. But seen from behind, going
    down, bone comes nearer to the skin along a process and jumps away from it at its tip. The process is that of an
    arch from which bone leads to its middle in a straight line, as far below as processes are; they follow each other
    as the arches, and where that fits more than one way they lie best on the whole.
    """
    frame = stations[0].frame
    wall = -stations[0].size[1] / 2.0 if stations[0].star is None else stations[0].star.reach[1, 0]
    ahead = wall - np.arange(_BEHIND_MM, -0.1, -_STEP_MM)
    up = np.arange(_ALONG_MM, -_ALONG_MM - 0.1, -_STEP_MM)
    w, v, u = np.meshgrid(up, ahead, np.arange(-_ASIDE_MM, _ASIDE_MM + 0.1, _STEP_MM), indexing="ij")
    bone = np.nan_to_num(solid.sample(frame.to_ras(np.stack([u, v, w], axis=-1).reshape(-1, 3)))).reshape(u.shape) > 0.5
    flat = bone.sum(axis=2) >= 2  # one voxel may be noise
    rear = np.where(flat.any(axis=1), flat.argmax(axis=1), -1)
    laminae = [_lamina(station, frame, flat, ahead, up) for station in stations]
    downs = [-np.array([-station.frame.out @ frame.out, station.frame.out @ frame.anterior]) for station in stations]
    apart = np.median([station.size[2] for station in stations]) * _PITCH
    found: list[list[np.ndarray]] = [[np.empty((0, 3))] for _ in stations]
    runs = [rows for run in _runs(rear) for rows in _ends(run, apart) if len(rows) * _STEP_MM > _SHORTEST_MM]
    tips = [_Tip(rows, _arches(rows, rear, laminae, downs, flat, apart)) for rows in runs]
    for tip, owner in zip(tips, _owners(tips), strict=True):
        if owner is None:
            continue
        here = np.zeros(bone.shape, bool)
        for row in tip.rows:
            here[row, rear[row] + 1 : rear[row] + int(_INTO_MM / _STEP_MM)] = True
        here &= bone
        found[owner].append(frame.to_ras(np.stack([u[here], v[here], w[here]], axis=1)))
    return [np.concatenate(points) for points in found]


def _ends(run: np.ndarray, apart: float) -> list[np.ndarray]:
    """The run; if it is too long for one process, its upper and its lower end: bone in the ligament joins the tips."""
    if len(run) * _STEP_MM <= _LONGEST_RUN * apart:
        return [run]
    part = round(_PART_OF_RUN * apart / _STEP_MM)
    return [run[:part], run[-part:]]


def _lamina(station: Station, frame: Frame, flat: np.ndarray, ahead: np.ndarray, up: np.ndarray) -> np.ndarray | None:
    """(2,) row and column of the first bone behind the middle of the station's canal; None where there is none."""
    if station.canal is None:
        return None
    start = frame.to_local(station.canal[None])[0]
    way = frame.rows @ -station.frame.anterior
    line = start + np.arange(*_TO_LAMINA_MM, _STEP_MM / 2.0)[:, None] * way
    cells = np.rint(np.stack([up[0] - line[:, 2], line[:, 1] - ahead[0]], axis=1) / _STEP_MM).astype(int)
    cells = cells[((cells >= 0) & (cells < flat.shape)).all(axis=1)]
    hit = cells[flat[tuple(cells.T)]]
    return hit[0] if len(hit) else None


def _arches(
    rows: np.ndarray,
    rear: np.ndarray,
    laminae: list[np.ndarray | None],
    downs: list[np.ndarray],
    flat: np.ndarray,
    apart: float,
) -> dict[int, tuple[float, int]]:
    """Whose process the rear bone in the rows may be: the station's number to how well it lies and the lamina's row.

    downs: (2,) each, which way is down for a station, in rows and columns.
    """
    row = rows[len(rows) // 2]
    middle = np.array([row, rear[row] + 2])
    arches = {}
    for number, lamina in enumerate(laminae):
        if lamina is None or lamina[1] < middle[1]:
            continue
        below = float((middle - lamina) @ downs[number]) * _STEP_MM / apart
        fit = 1.0 - ((below - _BELOW) / _OFF) ** 2
        line = np.rint(np.linspace(lamina, middle, 60)).astype(int)
        if fit > 0.0 and round(float(flat[tuple(line.T)].mean()), 1) >= _LEAST_BONE:
            arches[number] = (float(fit), int(lamina[0]))
    return arches


def _owners(tips: list[_Tip]) -> list[int | None]:
    """The station's number for each of the tips, from above to below, in the arches' order; together they lie best.

    A process may show in pieces; those after its first count less.
    """

    @cache
    def best(first: int, row: int) -> tuple[float, tuple[int | None, ...]]:
        """Of the tips from the first on, below an arch whose lamina is in that row."""
        if first == len(tips):
            return 0.0, ()
        fit, owners = best(first + 1, row)
        choices: list[tuple[float, tuple[int | None, ...]]] = [(fit, (None, *owners))]
        for number, (own, lamina) in tips[first].arches.items():
            if lamina >= row:
                fit, owners = best(first + 1, lamina)
                choices.append((fit + (own if lamina > row else _PIECE * own), (number, *owners)))
        return max(choices, key=lambda choice: choice[0])

    return list(best(0, -1)[1])


def _runs(rear: np.ndarray) -> list[np.ndarray]:
    """Rows from above to below in which the rearmost bone, its column or -1, nowhere jumps and nowhere ends."""
    runs: list[np.ndarray] = []
    current: list[int] = []
    for row, column in enumerate(rear):
        if current:
            forward = (column - rear[current[-5:]].min()) * _STEP_MM
            back = (rear[current[-1]] - column) * _STEP_MM
            if column < 0 or forward > _FORWARD_MM or back > _BACK_MM:
                runs.append(np.array(current))
                current = []
        if column >= 0:
            current.append(row)
    return [*runs, np.array(current)] if current else runs
