"""Sets of screws that go together, against every set there is; and distances between screws against points on both."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.plan.plan import ScrewRules, ScrewType
from SpinalStrutDesignerLib.propose.screw_sets import Pool, Rods, best_set, between, together
from SpinalStrutDesignerLib.propose.screw_shots import Shots

RULES = ScrewRules()


def pool(seed: int, count: int) -> Pool:
    """Screws strewn before a body 40 mm wide, strongest first."""
    source = np.random.default_rng(seed)
    entries = source.uniform([-20.0, -1.0, -8.0], [20.0, 1.0, 8.0], (count, 3))
    ways = np.column_stack([source.uniform(-0.3, 0.3, count), -np.ones(count), source.uniform(-0.3, 0.3, count)])
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    held = np.sort(source.uniform(100.0, 900.0, count))[::-1]
    none = np.zeros(count)
    lengths = source.choice([12.0, 16.0, 20.0], count)
    return Pool(ScrewType(), False, Shots(np.arange(count), entries, ways, none, lengths, held, none, none))


def every_set(pools: list[Pool], allowed: list[np.ndarray], unlike: list[list[np.ndarray]]) -> list[float]:
    """What each set holds that goes together and differs from all that it must differ from, the most first."""
    held = []
    for numbers in product(*(np.flatnonzero(mask) for mask in allowed)):
        rods = [Rods.of(p, np.array([k])) for p, k in zip(pools, numbers)]
        pairs = [(a, b) for n, a in enumerate(rods) for b in rods[n + 1 :]]
        like = any(all(mask[k] for mask, k in zip(masks, numbers)) for masks in unlike)
        if not like and all(together(RULES, a, b)[0] for a, b in pairs):
            held.append(sum(float(p.shots.purchase[k]) for p, k in zip(pools, numbers)))
    return sorted(held, reverse=True)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(0, 3))
def test_no_set_holds_more_than_the_best(seed: int, holes: int, others: int) -> None:
    source = np.random.default_rng(seed + 1)
    pools = [pool(seed + hole, 9) for hole in range(holes)]
    allowed = [source.random(9) < 0.8 for _ in pools]
    unlike = [[source.random(9) < 0.7 for _ in pools] for _ in range(others)]
    found, known = best_set(RULES, pools, allowed, (), unlike), every_set(pools, allowed, unlike)
    if found is None:
        assert known == []
        return
    assert all(mask[k] for mask, k in zip(allowed, found))
    assert not any(all(mask[k] for mask, k in zip(masks, found)) for masks in unlike)
    assert sum(float(p.shots.purchase[k]) for p, k in zip(pools, found)) == pytest.approx(known[0])


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_two_holes_of_one_kind_are_served_from_one_pool(seed: int) -> None:
    one = pool(seed, 14)
    everything = [np.ones(14, dtype=bool)] * 2
    found, known = best_set(RULES, [one, one], everything, ()), every_set([one, one], everything, [])
    assert (found is None) == (known == [])
    if found is not None:
        assert one.shots.purchase[list(found)].sum() == pytest.approx(known[0])


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_between_segments_as_between_many_points_on_both(seed: int, long: float, others_long: float) -> None:
    source = np.random.default_rng(seed)
    a, b = source.uniform(-20.0, 20.0, (2, 3))
    u, v = (way / np.linalg.norm(way) for way in source.normal(size=(2, 3)))
    lines = ((a, long, u), (b, others_long, v))
    one, other = (start + np.linspace(0.0, far, 301)[:, None] * way for start, far, way in lines)
    least = np.linalg.norm(one[:, None] - other, axis=2).min()
    found = float(between(a, long, u, b[None], np.array([others_long]), v[None])[0])
    assert found <= least + 1e-9
    assert found == pytest.approx(least, abs=0.11)
