"""Blocks of voxels blurred by a Gaussian."""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.field.compiled import compiled
from scipy import ndimage

_REACH = 4  # voxels on either side that the Gaussian takes in: the loops write its terms out
_AT_ONCE = 256  # lines blurred side by side: with few hundred nodes each they stay in the processor's cache


def blurred(voxels: np.ndarray, deviation: float) -> np.ndarray:
    """Voxels (k, j, i) as float32, blurred by a Gaussian cut off beyond 4 voxels, mirrored at the block's faces.

    deviation: in voxels. The block holds at least 4 voxels each way. With and without numba the same numbers.
    """
    values = np.array(voxels, dtype=np.float32, order="C")  # the loops run over it as over lines
    across, along = compiled(blur_across), compiled(blur_along)
    if across is None or along is None:
        ndimage.gaussian_filter(values, deviation, output=values, radius=_REACH)
        return values
    weights = np.exp(-0.5 / deviation**2 * np.arange(-_REACH, _REACH + 1) ** 2)
    weights = (weights / weights.sum())[_REACH:]
    depth, height, width = values.shape
    across(values.reshape(1, depth, height * width), weights, _AT_ONCE)
    across(values, weights, _AT_ONCE)
    along(values.reshape(depth * height, width), weights)
    return values


def blur_across(values: np.ndarray, weights: np.ndarray, at_once: int) -> None:
    """Blurs values (blocks, nodes, lines) in place along the nodes; a loop for `compiled`.

    weights: (5,) of a node itself, of its first neighbours, its second and so on. Summed up in scipy's order.
    """
    blocks, nodes, lines = values.shape
    w0, w1, w2, w3, w4 = weights[0], weights[1], weights[2], weights[3], weights[4]
    held = np.empty((nodes + 8, at_once))
    for block in range(blocks):
        for first in range(0, lines, at_once):
            count = min(at_once, lines - first)
            blank = True
            for node in range(nodes):
                for n in range(count):
                    value = values[block, node, first + n]
                    held[node + 4, n] = value
                    blank &= value == 0.0
            if blank:
                continue
            for off in range(4):
                for n in range(count):
                    held[3 - off, n] = held[4 + off, n]
                    held[nodes + 4 + off, n] = held[nodes + 3 - off, n]
            for node in range(nodes):
                for n in range(count):
                    total = held[node + 4, n] * w0 + (held[node, n] + held[node + 8, n]) * w4
                    total += (held[node + 1, n] + held[node + 7, n]) * w3
                    total += (held[node + 2, n] + held[node + 6, n]) * w2
                    values[block, node, first + n] = total + (held[node + 3, n] + held[node + 5, n]) * w1


def blur_along(values: np.ndarray, weights: np.ndarray) -> None:
    """Blurs values (lines, nodes) in place along the nodes as `blur_across` does; a loop for `compiled`."""
    lines, nodes = values.shape
    w0, w1, w2, w3, w4 = weights[0], weights[1], weights[2], weights[3], weights[4]
    held = np.empty(nodes + 8)
    for line in range(lines):
        row = values[line]
        blank = True
        for n in range(nodes):
            held[n + 4] = row[n]
            blank &= row[n] == 0.0
        if blank:
            continue
        for off in range(4):
            held[3 - off] = held[4 + off]
            held[nodes + 4 + off] = held[nodes + 3 - off]
        for n in range(nodes):
            total = held[n + 4] * w0 + (held[n] + held[n + 8]) * w4
            total += (held[n + 1] + held[n + 7]) * w3
            total += (held[n + 2] + held[n + 6]) * w2
            row[n] = total + (held[n + 3] + held[n + 5]) * w1
