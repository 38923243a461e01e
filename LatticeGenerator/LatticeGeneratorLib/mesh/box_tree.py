"""A tree of boxes around triangles, to find those near a place."""

from __future__ import annotations

import numpy as np

LEAF = 4  # triangles in a leaf
_BITS = 20


def box_tree(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A complete binary tree of boxes and the order of the (m, 3, 3) triangles in its leaves.

    Returns (2 · leaves, 6) lowest and highest corners, of which node n has the children 2n and 2n + 1 and node 1 is the
    root, and (m,) triangle numbers: the n-th leaf holds the n-th four of them. Neighbours along a Morton curve share a
    leaf.
    """
    # Reductions over so short an axis take many times as long.
    a, b, c = (np.ascontiguousarray(triangles[:, corner]) for corner in range(3))
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    order = np.argsort(_morton(0.5 * (low + high)), kind="stable")
    leaves = 1 << max(0, -(-len(order) // LEAF) - 1).bit_length()
    boxes = np.empty((2 * leaves, 6))
    boxes[:, :3], boxes[:, 3:] = np.inf, -np.inf
    starts = np.arange(0, len(order), LEAF)
    boxes[leaves : leaves + len(starts), :3] = np.minimum.reduceat(low[order], starts)
    boxes[leaves : leaves + len(starts), 3:] = np.maximum.reduceat(high[order], starts)
    while leaves > 1:
        children = boxes[leaves : 2 * leaves].reshape(-1, 2, 6)
        leaves //= 2
        np.minimum(children[:, 0, :3], children[:, 1, :3], out=boxes[leaves : 2 * leaves, :3])
        np.maximum(children[:, 0, 3:], children[:, 1, 3:], out=boxes[leaves : 2 * leaves, 3:])
    return boxes, order


def leaves_reached(boxes: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of the boxes from low to high, (n, 3) each, the leaves of a tree that it meets: a loop for `compiled`.

    Returns (p,) leaves, numbered from 0, and (n + 1,) where those of each box begin and the last end.
    """
    leaves = boxes.shape[0] // 2
    starts = np.zeros(low.shape[0] + 1, np.int64)
    reached = np.empty(1024, np.int64)
    count = 0
    stack = np.empty(128, np.int64)
    for n in range(low.shape[0]):
        lx, ly, lz, hx, hy, hz = low[n, 0], low[n, 1], low[n, 2], high[n, 0], high[n, 1], high[n, 2]
        stack[0] = 1
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            if boxes[node, 0] > hx or boxes[node, 1] > hy or boxes[node, 2] > hz:
                continue
            if boxes[node, 3] < lx or boxes[node, 4] < ly or boxes[node, 5] < lz:
                continue
            if node < leaves:
                stack[height] = 2 * node
                stack[height + 1] = 2 * node + 1
                height += 2
                continue
            if count == reached.shape[0]:
                reached = np.concatenate((reached, np.empty_like(reached)))
            reached[count] = node - leaves
            count += 1
        starts[n + 1] = count
    return reached[:count], starts


def _morton(points: np.ndarray) -> np.ndarray:
    """(n,) places along the Z-shaped curve through space, of (n, 3) points."""
    low = points.min(axis=0)
    extent = max(float((points.max(axis=0) - low).max()), 1e-300)
    cells = np.minimum((points - low) * ((1 << _BITS) / extent), (1 << _BITS) - 1).astype(np.uint64)
    # Two zero bits are put between the bits of each coordinate.
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        cells = (cells | (cells << np.uint64(shift))) & np.uint64(mask)
    return cells[:, 0] | (cells[:, 1] << np.uint64(1)) | (cells[:, 2] << np.uint64(2))
