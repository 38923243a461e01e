"""Half-edges of faces, 3 · face + corner, and how they hang together."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array

from ..field.compiled import compiled

_AFTER = np.array([1, 2, 0])  # the corner that follows in a face


def twins(faces: np.ndarray, count: int) -> np.ndarray | None:
    """(3m,) for each half-edge of faces (m, 3) the opposite one, or None where edges are not in opposed pairs.

    count: of the vertices that faces refer to, all of which must exist.
    """
    pair = compiled(paired)
    if pair is None:
        return _sorted_pairs(faces, count)
    first = np.concatenate([[0], np.cumsum(np.bincount(faces.ravel(), minlength=count))])
    twin = np.full(faces.size, -1, np.int64)
    return twin if pair(faces, first, twin) else None


def fan_count(faces: np.ndarray, twin: np.ndarray) -> int:
    """How many closed fans of faces there are; as many as vertices in use if every vertex is manifold.

    The half-edge that leaves a vertex next after h is the twin of the one before h in its face: a permutation whose
    cycles are the fans.
    """
    walk = compiled(cycles)
    return int(walk(twin)) if walk else _doubled(faces, twin)


def paired(faces: np.ndarray, first: np.ndarray, twin: np.ndarray) -> bool:
    """Fills in the twins; whether every half-edge has just one and no other goes its way: a loop for `compiled`.

    faces: (m, 3); first: (count + 1,) how many half-edges leave the vertices before each; twin: (3m,), all -1.
    """
    # Half-edges that run to a lower vertex, sorted by where they start.
    place = first[:-1].copy()
    ends, names = np.empty(len(twin), np.int64), np.empty(len(twin), np.int64)
    for f in range(len(faces)):
        for corner in range(3):
            start, end = faces[f, corner], faces[f, (corner + 1) % 3]
            if end < start:
                ends[place[start]], names[place[start]] = end, 3 * f + corner
                place[start] += 1
    found = 0
    for f in range(len(faces)):
        for corner in range(3):
            start, end = faces[f, corner], faces[f, (corner + 1) % 3]
            if start < end:
                for n in range(first[end], place[end]):
                    if ends[n] == start:
                        other = names[n]
                        if twin[other] >= 0:
                            return False
                        twin[other], twin[3 * f + corner] = 3 * f + corner, other
                        found += 2
                        break
    return found == len(twin)


def cycles(twin: np.ndarray) -> int:
    """How many cycles the walk from fan to fan has: a loop for `compiled`."""
    seen = np.zeros(len(twin), np.bool_)
    count = 0
    for h in range(len(twin)):
        if seen[h]:
            continue
        count += 1
        at = h
        while not seen[at]:
            seen[at] = True
            at = twin[at - 1 + 3 * (at % 3 == 0)]
    return count


def _sorted_pairs(faces: np.ndarray, count: int) -> np.ndarray | None:
    """As `twins`, as array operations."""
    start, end = faces.ravel(), faces[:, _AFTER].ravel()
    names = np.arange(len(start), dtype=np.int64)
    forward = coo_array((names, (start, end)), shape=(count, count)).tocsr()
    if forward.nnz != len(start):
        return None
    forward.sort_indices()
    backward = forward.T.tocsr()
    backward.sort_indices()
    if not (np.array_equal(forward.indptr, backward.indptr) and np.array_equal(forward.indices, backward.indices)):
        return None
    twin = np.empty(len(start), np.int64)
    twin[forward.data] = backward.data
    return twin


def _doubled(faces: np.ndarray, twin: np.ndarray) -> int:
    """As `fan_count`, as array operations: each cycle is named by its lowest half-edge, found by pointer doubling."""
    names = np.arange(len(twin), dtype=np.int64)
    jump = twin[names - 1 + 3 * (names % 3 == 0)]
    lowest = names
    longest = int(np.bincount(faces.ravel()).max())
    for _ in range(max(longest - 1, 1).bit_length()):
        lowest = np.minimum(lowest, lowest[jump])
        jump = jump[jump]
    return int((lowest == names).sum())
