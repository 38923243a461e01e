"""The radii of a body's surface that cost least together, against exact answers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from SpinalStrutDesignerLib.case import star
from SpinalStrutDesignerLib.case.star import directions

COLUMNS = 51


def _cheapest_in_a_row(cost: np.ndarray, price: float) -> float:
    """The least cost of columns of rows one after the other, price for each step's square: exact, by dynamic
    programming."""
    columns = np.arange(cost.shape[1])
    apart = np.abs(columns[:, None] - columns)
    steps = np.where(apart <= star._FARTHEST_STEP, price * apart**2, np.inf)
    total = cost[0]
    for row in cost[1:]:
        total = (total[:, None] + steps).min(axis=0) + row
    return float(total.min())


def _price() -> float:
    ratios = star._RATIOS
    return float(star._SMOOTH_COST * (ratios[1] - ratios[0]) ** 2)


@pytest.mark.parametrize("number", range(5))
def test_in_a_row_the_choice_is_the_cheapest(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    random = np.random.default_rng(number)
    cost = np.cumsum(random.normal(size=(40, COLUMNS)), axis=1)
    pairs = np.array(list(pairwise(range(40))))
    monkeypatch.setattr(star, "_neighbours", lambda: np.concatenate([pairs, pairs[:, ::-1]]))
    chosen = star._smooth_choice(cost)
    made = cost[np.arange(40), chosen].sum() + _price() * (np.diff(chosen) ** 2).sum()
    assert made == pytest.approx(_cheapest_in_a_row(cost, _price()), abs=1e-3)


@pytest.mark.parametrize("number", range(3))
def test_on_the_sphere_no_direction_alone_does_better(number: int) -> None:
    random = np.random.default_rng(number)
    cost = np.cumsum(random.normal(size=(len(directions()), COLUMNS)), axis=1)
    chosen = star._smooth_choice(cost)
    pairs, columns = star._neighbours(), np.arange(COLUMNS)
    for direction in range(len(cost)):
        beside = chosen[pairs[pairs[:, 0] == direction, 1]]
        total = cost[direction] + _price() * ((columns[:, None] - beside) ** 2).sum(axis=1)
        assert total[chosen[direction]] <= total.min() + 1e-3
