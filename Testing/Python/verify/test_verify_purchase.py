"""Bone's shear strength from HU, and a screw's pull-out from that, held against sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from SpinalStrutDesignerLib.plan.plan import ScrewType
from SpinalStrutDesignerLib.verify.purchase import hu_profile, pullout_N, shear_MPa, thread_shape_factor
from SpinalStrutDesignerLib.verify.screwline import ScrewLine
from verify_toy import HU, screw, toy_case

SMALL = ScrewType()  # 3.5 mm, core 1.9, pitch 1.75
ENTRY, BACK = (0.0, 11.0, 37.0), (0.0, -1.0, 0.0)


def test_strength_of_300_hu_by_hand():
    # 0.047 + 1.122e-3 × 300 = 0.3836 g/cm³; 21.6 × 0.3836^1.65 = 21.6 × exp(1.65 × ln 0.3836).
    assert shear_MPa(np.array([300.0]))[0] == pytest.approx(21.6 * np.exp(1.65 * np.log(0.3836)), rel=1e-12)
    assert shear_MPa(np.array([300.0]))[0] == pytest.approx(4.45, abs=0.01)


@pytest.mark.parametrize("hu", [-900.0, -100.0, 0.0, np.nan, 1250.0, 3071.0, np.inf])
def test_marrow_metal_and_the_unknown_hold_nothing(hu):
    assert shear_MPa(np.array([hu]))[0] == 0.0


def test_cortex_counts_as_the_densest_trabecular_bone():
    # At 1 g/cm³ the power law gives its own factor.
    assert shear_MPa(np.array([900.0, 1200.0])) == pytest.approx([21.6, 21.6])


@given(st.floats(0.5, 1249.0), st.floats(0.0, 500.0))
def test_denser_bone_is_never_weaker(hu, more):
    low, high = shear_MPa(np.array([hu, min(hu + more, 1249.0)]))
    assert 0.0 < low <= high <= 21.6 + 1e-9


def test_pull_out_of_an_even_block_by_hand():
    # TSF = 0.5 + 0.577 × 0.8 / 1.75; F = S π D L TSF with L = 10 mm.
    factor = 0.5 + 0.577 * 0.8 / 1.75
    assert thread_shape_factor(SMALL) == pytest.approx(factor)
    hu = np.full((1, 41), 300.0)
    by_hand = 21.6 * 0.3836**1.65 * np.pi * 3.5 * 10.0 * factor
    assert pullout_N(SMALL, hu, np.ones((1, 41), bool), 0.25)[0] == pytest.approx(by_hand, rel=1e-9)


def test_only_thread_in_bone_holds_and_screws_are_told_apart():
    hu = np.array([np.full(21, 300.0), np.full(21, 150.0), np.full(21, 300.0)])
    inside = np.ones((3, 21), bool)
    inside[2, :10] = False
    forces = pullout_N(SMALL, hu, inside, 0.5)
    weaker = ((0.047 + 1.122e-3 * 150) / 0.3836) ** 1.65
    assert forces[1] / forces[0] == pytest.approx(weaker)
    # 10 of 20 steps, and half the step in which bone begins.
    assert forces[2] / forces[0] == pytest.approx(10.5 / 20.0)


@given(st.integers(2, 60), st.floats(0.1, 1.0))
def test_more_thread_in_bone_never_holds_less(count, step):
    hu = np.tile(np.linspace(-50.0, 1400.0, count), (count, 1))
    forces = pullout_N(SMALL, hu, np.tri(count, dtype=bool), step)
    assert (np.diff(forces) >= -1e-9).all()


def test_profile_along_a_thread():
    line = ScrewLine(screw(ENTRY, BACK), 1, toy_case().structure("C4"))
    depths, hu = hu_profile(toy_case(), line)
    assert depths == pytest.approx(line.depths)
    # Bone begins at y = 8, 3 mm under the head; half a voxel about that lies between 0 and 300 HU.
    assert hu[depths > 3.3] == pytest.approx(HU)
    away = ScrewLine(screw((0.0, 20.0, 37.0), BACK), 1, toy_case().structure("C4"))
    depths, hu = hu_profile(toy_case(), away)
    assert hu[depths < 11.5] == pytest.approx(0.0)
