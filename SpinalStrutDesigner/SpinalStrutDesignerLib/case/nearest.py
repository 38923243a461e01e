"""Which of some nodes of a block lies nearest to each of its nodes."""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.field.compiled import compiled
from scipy import ndimage


def nearest_numbers(
    at: tuple[np.ndarray, ...], number: np.ndarray, shape: tuple[int, ...], spacing: np.ndarray
) -> np.ndarray:
    """For every node of a block (k, j, i) the number, int32, of that node among at which lies nearest to it.

    at: (n,) k, j and i; number: (n,), not negative; spacing: (3,) mm along k, j, i. Of several equally near
    that which scipy takes, with numba or without.
    """
    numbers = np.full(shape, -1, dtype=np.int32)
    numbers[at] = number
    in_columns, on_lines = compiled(nearest_in_columns), compiled(nearest_on_lines)
    if in_columns is None or on_lines is None:
        unknown = numbers < 0
        indices = ndimage.distance_transform_edt(unknown, sampling=spacing, return_distances=False, return_indices=True)
        return numbers[tuple(indices)]
    steps = np.empty_like(numbers)
    in_columns(numbers, steps)
    for layer, off in zip(numbers, steps):
        squares = np.square(off * spacing[0])
        on_lines(squares.T, layer.T, spacing[1])
        on_lines(squares, layer, spacing[2])
    return numbers


def nearest_in_columns(numbers: np.ndarray, steps: np.ndarray) -> None:
    """Gives every node of numbers (k, j, i) that has none, -1, that of the nearest along k, the lower of two.

    A loop for `compiled`. Writes to steps, as large, how many nodes off that is; in an empty column numbers stay -1.
    """
    depth, height, width = numbers.shape
    beyond = 2 * depth  # farther than any node of the column, also when counted on from there
    for k in range(depth):
        for j in range(height):
            for i in range(width):
                known = numbers[k, j, i] >= 0
                below = steps[k - 1, j, i] + 1 if k > 0 else beyond
                steps[k, j, i] = 0 if known else below
                numbers[k, j, i] = numbers[k, j, i] if known or k == 0 else numbers[k - 1, j, i]
    for k in range(depth - 2, -1, -1):
        for j in range(height):
            for i in range(width):
                above = steps[k + 1, j, i] + 1
                nearer = above < steps[k, j, i]
                numbers[k, j, i] = numbers[k + 1, j, i] if nearer else numbers[k, j, i]
                steps[k, j, i] = above if nearer else steps[k, j, i]


def nearest_on_lines(squares: np.ndarray, numbers: np.ndarray, spacing: float) -> None:
    """Gives every node the number of that node on its line whose square and that of the way there add up to least.

    A loop for `compiled`. squares: (lines, nodes) mm², made into those sums; numbers: (lines, nodes), -1 for a node
    that has none to give.
    """
    lines, nodes = numbers.shape
    # Those nodes that are nearest to some stretch of the line: Maurer, Qi, Raghavan, A linear time algorithm for
    # computing exact Euclidean distance transforms, IEEE PAMI 25 (2003), 265. Summed up in scipy's order, so that
    # rounding decides alike between nodes equally near.
    place, square, number = np.empty(nodes + 1), np.empty(nodes + 1), np.empty(nodes + 1, np.int32)
    for line in range(lines):
        last = -1
        for node in range(nodes):
            if numbers[line, node] < 0:
                continue
            w = squares[line, node]
            while last >= 1:
                a, b = (place[last] - place[last - 1]) * spacing, (node - place[last]) * spacing
                c = a + b
                if c * square[last] - b * square[last - 1] - a * w - a * b * c <= 0.0:
                    break
                last -= 1
            last += 1
            place[last], square[last], number[last] = node, w, numbers[line, node]
        if last < 0:
            continue
        place[last + 1], square[last + 1] = 0.0, np.inf
        here = 0
        for node in range(nodes):
            way, next_way = (place[here] - node) * spacing, (place[here + 1] - node) * spacing
            least, following = square[here] + way * way, square[here + 1] + next_way * next_way
            while following < least:
                here += 1
                least = following
                next_way = (place[here + 1] - node) * spacing
                following = square[here + 1] + next_way * next_way
            squares[line, node] = least
            numbers[line, node] = number[here]
