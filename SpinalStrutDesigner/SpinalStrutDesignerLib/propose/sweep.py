"""Many axes at once: the same curves and frames as plan/curve makes, for an optimiser that tries them by the dozen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FINE = 16  # pieces of each span between control points in which its length is measured
# Nodes and weights of the two-point Gauss-Legendre rule on (0, 1).
_GAUSS = 0.5 + np.array([-0.5, 0.5]) / np.sqrt(3.0)


@dataclass(frozen=True, eq=False)
class Curves:
    """Centrelines sampled at the same number of places, evenly along each. points, tangents, backs, rights:
    (n, rows, 3); curvature: (n, rows) 1/mm; lengths: (n,) mm."""

    points: np.ndarray
    tangents: np.ndarray
    backs: np.ndarray
    rights: np.ndarray
    curvature: np.ndarray
    lengths: np.ndarray

    def swept(self, offsets: np.ndarray) -> np.ndarray:
        """(n, rows, k, 3) RAS points of section offsets (rows, k, 2), across and towards the column."""
        across, towards = offsets[None, ..., :1], offsets[None, ..., 1:]
        return self.points[:, :, None] + across * self.rights[:, :, None] + towards * self.backs[:, :, None]


def curves(control: np.ndarray, back: np.ndarray, rows: int) -> Curves:
    """Natural cubic splines over chord length through control points (n, m, 3), with twist-free frames from the back
    directions (n, 3) at their first points, at `rows` places each."""
    steps = np.diff(control, axis=1)
    chords = np.linalg.norm(steps, axis=2)
    second = _second_derivatives(steps, chords)
    span, share, lengths = _even_places(control, chords, second, rows)
    points, first, bend = _evaluated(control, chords, second, span, share)
    speed = np.linalg.norm(first, axis=2)
    tangents = first / speed[..., None]
    curvature = np.linalg.norm(np.cross(first, bend), axis=2) / speed**3
    backs = _twist_free(points, tangents, back)
    return Curves(points, tangents, backs, np.cross(backs, tangents), curvature, lengths)


def bends(control: np.ndarray) -> np.ndarray:
    """(n, m, 3) 1/mm by how much such splines bend at their control points (n, m, 3), and which way.

    Between two of them this changes evenly, so that no place bends more sharply than both.
    """
    steps = np.diff(control, axis=1)
    second = _second_derivatives(steps, np.linalg.norm(steps, axis=2))
    along = np.concatenate([steps[:, :1], control[:, 2:] - control[:, :-2], steps[:, -1:]], axis=1)
    along /= np.linalg.norm(along, axis=2)[..., None]
    across: np.ndarray = second - np.einsum("nmi,nmi->nm", second, along)[..., None] * along
    return across


def _second_derivatives(steps: np.ndarray, chords: np.ndarray) -> np.ndarray:
    """(n, m, 3) second derivatives of the natural spline at its knots (de Boor, A Practical Guide to Splines, IV)."""
    count = chords.shape[1] + 1
    inner = np.arange(1, count - 1)
    system = np.zeros((len(chords), count, count))
    system[:, 0, 0] = system[:, -1, -1] = 1.0
    system[:, inner, inner - 1] = chords[:, :-1]
    system[:, inner, inner] = 2.0 * (chords[:, :-1] + chords[:, 1:])
    system[:, inner, inner + 1] = chords[:, 1:]
    right = np.zeros((len(chords), count, 3))
    slopes = steps / chords[..., None]
    right[:, 1:-1] = 6.0 * np.diff(slopes, axis=1)
    return np.linalg.solve(system, right)


def _evaluated(
    control: np.ndarray, chords: np.ndarray, second: np.ndarray, span: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position and first and second derivative (n, rows, 3) at shares (n, rows) of spans (n, rows)."""
    row = np.arange(len(control))[:, None]
    h, t = chords[row, span][..., None], share[..., None]
    p, q = control[row, span], control[row, span + 1]
    a, b = second[row, span], second[row, span + 1]
    s = 1.0 - t
    points = s * p + t * q + h * h / 6.0 * ((s**3 - s) * a + (t**3 - t) * b)
    first = (q - p) / h + h / 6.0 * ((1.0 - 3.0 * s * s) * a + (3.0 * t * t - 1.0) * b)
    return points, first, s * a + t * b


def _even_places(
    control: np.ndarray, chords: np.ndarray, second: np.ndarray, rows: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Span and share (n, rows) of places evenly far apart along each curve, and the curves' lengths (n,)."""
    count, spans = chords.shape
    inner = (np.arange(_FINE)[:, None] + _GAUSS).ravel() / _FINE
    span = np.broadcast_to(np.repeat(np.arange(spans), len(inner)), (count, spans * len(inner)))
    share = np.broadcast_to(np.tile(inner, spans), span.shape)
    _, first, _ = _evaluated(control, chords, second, span, share)
    speed = np.linalg.norm(first, axis=2).reshape(count, spans, _FINE, 2).mean(axis=3)
    pieces = (speed * chords[..., None] / _FINE).reshape(count, -1)
    arc = np.concatenate([np.zeros((count, 1)), np.cumsum(pieces, axis=1)], axis=1)
    lengths = arc[:, -1]
    wanted = np.linspace(0.0, 1.0, rows) * lengths[:, None]
    knots = np.arange(spans * _FINE + 1) / _FINE
    place = np.stack([np.interp(want, along, knots) for want, along in zip(wanted, arc)])
    span = np.minimum(place.astype(int), spans - 1)
    return span, place - span, lengths


def _twist_free(points: np.ndarray, tangents: np.ndarray, back: np.ndarray) -> np.ndarray:
    """(n, rows, 3) directions across the curves that turn no more than they do, the first nearest to back (n, 3).

    Double reflection, W. Wang et al., Computation of rotation minimizing frames, ACM TOG 27(1), 2008.
    """
    steps = np.diff(points, axis=1)
    along = 2.0 / np.einsum("nri,nri->nr", steps, steps)
    carried = tangents[:, :-1] - (along * np.einsum("nri,nri->nr", steps, tangents[:, :-1]))[..., None] * steps
    turns = tangents[:, 1:] - carried
    across = 2.0 / np.einsum("nri,nri->nr", turns, turns)
    backs = np.empty_like(points)
    first = tangents[:, 0]
    backs[:, 0] = _unit(back - np.einsum("ni,ni->n", back, first)[:, None] * first)
    for i in range(points.shape[1] - 1):
        step, turn, old = steps[:, i], turns[:, i], backs[:, i]
        new = old - (along[:, i] * (step * old).sum(axis=1))[:, None] * step
        new -= (across[:, i] * (turn * new).sum(axis=1))[:, None] * turn
        backs[:, i + 1] = new
    # Rounding leaves them a little out of square and length; mended at once, not step by step.
    backs -= np.einsum("nri,nri->nr", backs, tangents)[..., None] * tangents
    return backs / np.linalg.norm(backs, axis=2)[..., None]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]
