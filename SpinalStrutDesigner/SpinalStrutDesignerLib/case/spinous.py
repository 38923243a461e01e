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
# Processes end beside the next body below at the lowest (T5 to T8): in steps from one vertebra to the next.
_LONGEST = 2.0
# Those of the neck run level, and in slices of 3 mm a lamina is seen one too low. Engineering judgement.
_LEVEL_MM = 3.2
_PITCH = 1.2  # from one vertebra to the next in heights of a body, the disc being a fifth of it


_Score = tuple[int, int, float, int]


@dataclass(frozen=True, eq=False)
class _Tip:
    """The rear of a process in rows of one run; arches: station's number to bone on the way from its lamina and the
    lamina's row, where it may be that arch's."""

    run: int
    rows: np.ndarray
    arches: dict[int, tuple[float, int]]


def spinous_points(solid: Volume, stations: list[Station]) -> list[np.ndarray]:
    """(n, 3) RAS mm for each station: the rear of its spinous process, where the one above does not cover it.

    The process above hangs behind the arch and touches it; in thick slices both are one. But seen from behind, going
    down, bone comes nearer to the skin along a process and jumps away from it at its tip. The process is that of an
    arch above its middle from which bone leads there in a straight line; the processes follow each other as the arches.
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
    apart = np.median([station.size[2] for station in stations]) * _PITCH
    found: list[list[np.ndarray]] = [[np.empty((0, 3))] for _ in stations]
    runs = [[rows for rows in _ends(run, apart) if len(rows) * _STEP_MM > _SHORTEST_MM] for run in _runs(rear)]
    tips = [
        _Tip(number, rows, _arches(rows, rear, laminae, flat, apart)) for number, run in enumerate(runs) for rows in run
    ]
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
    """The run; if longer than from one vertebra to the next, its upper and its lower end.

    That is more than one process, with bone in the ligament between their tips, which is nobody's.
    """
    parts = np.array_split(run, int(np.ceil(len(run) * _STEP_MM / apart)))
    return [parts[0], parts[-1]] if len(parts) > 1 else parts


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
    rows: np.ndarray, rear: np.ndarray, laminae: list[np.ndarray | None], flat: np.ndarray, apart: float
) -> dict[int, tuple[float, int]]:
    """Whose process the rear bone in the rows may be: the station's number to how much bone leads there from its
    lamina, and the lamina's row."""
    row = rows[len(rows) // 2]
    middle = np.array([row, rear[row] + 2])
    arches = {}
    for number, lamina in enumerate(laminae):
        if (
            lamina is None
            or not -_LEVEL_MM <= (middle[0] - lamina[0]) * _STEP_MM <= _LONGEST * apart
            or lamina[1] < middle[1]
        ):
            continue
        line = np.rint(np.linspace(lamina, middle, 60)).astype(int)
        bone = round(float(flat[tuple(line.T)].mean()), 1)
        if bone >= _LEAST_BONE:
            arches[number] = (bone, int(lamina[0]))
    return arches


def _owners(tips: list[_Tip]) -> list[int | None]:
    """The station's number for each of the tips, from above to below: most arches have one, in their order.

    No arch has two processes. Of what is left most tips are somebody's, most bone leads there, from the lowest arches.
    """

    @cache
    def best(first: int, run: int, row: int) -> tuple[_Score, tuple[int | None, ...]]:
        """Of the tips from the first on, below an arch in that row, whose tip is of that run."""
        if first == len(tips):
            return (0, 0, 0.0, 0), ()
        tip = tips[first]
        score, owners = best(first + 1, run, row)
        choices: list[tuple[_Score, tuple[int | None, ...]]] = [(score, (None, *owners))]
        for number, (bone, lamina) in tip.arches.items():
            if lamina > row or (lamina == row and tip.run == run):
                (arches, count, total, rows), owners = best(first + 1, tip.run, lamina)
                score = (arches + (lamina > row), count + 1, total + bone, rows + lamina)
                choices.append((score, (number, *owners)))
        return max(choices, key=lambda choice: choice[0])

    return list(best(0, -1, -1)[1])


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
