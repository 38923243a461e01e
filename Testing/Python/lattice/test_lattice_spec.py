"""What a lattice shall be, in both languages, and what is said where it cannot be."""

from __future__ import annotations

import math
import re
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from LatticeGeneratorLib.cells import CELLS, cell_named
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.feasible import LEAST_STRUT_MM, cell_size_mm, spec_of_cell
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.printing.catalogue import default_printer
from LatticeGeneratorLib.printing.printer import NO_LIMITS, Limit

NAMES = list(CELLS)
SHEETS = [name for name, cell in CELLS.items() if cell.kind == "sheet"]


@pytest.mark.parametrize("name", NAMES)
def test_wanted_and_made_say_the_same(name):
    low, high = cell_named(name).porosities
    for porosity in np.linspace(low + 0.001, high - 0.001, 7):
        for pore in (0.3, 0.55, 2.0):
            wanted = LatticeSpec(name, float(porosity), pore)
            made = LatticeSpec.made(name, wanted.cell_mm, wanted.thickness_mm)
            assert made.porosity == pytest.approx(wanted.porosity, abs=1e-6)
            assert made.pore_mm == pytest.approx(wanted.pore_mm, rel=1e-5)
            assert made.cell_mm == pytest.approx(wanted.cell_mm, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_everything_scales_with_the_pore(name):
    one, two = LatticeSpec(name, 0.65, 0.4), LatticeSpec(name, 0.65, 0.8)
    for quantity in ("cell_mm", "thickness_mm", "least_mm", "throat_mm"):
        assert getattr(two, quantity) == pytest.approx(2.0 * getattr(one, quantity))
        assert getattr(one, quantity) > 0.0
    assert one.throat_mm < 1.3 * one.pore_mm < 2.6 * one.cell_mm


def test_a_spec_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        LatticeSpec().porosity = 0.5


@pytest.mark.parametrize("name", NAMES)
def test_the_printer_s_limit_is_kept(name):
    cell, printer = cell_named(name), default_printer()
    least = printer.least(cell).mm
    assert least == (0.4 if name in SHEETS else LEAST_STRUT_MM)
    for porosity in np.linspace(*cell.porosities, 9):
        for pore in (0.4, 0.55, 0.8, 1.5):
            spec = LatticeSpec(name, float(porosity), pore)
            if spec.thickness_mm < least:
                with pytest.raises(GeometryError, match=f"below {least:.2f} mm"):
                    cell_size_mm(spec)
            else:
                assert cell_size_mm(spec) == spec.cell_mm


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_of_the_design_table_is_refused_and_can_be_made_knowingly(name):
    spec = LatticeSpec(name, 0.70, 0.55)
    with pytest.raises(GeometryError, match=r"walls of 0\.1\d+ mm, below 0\.40 mm.*another cell: .*Gyroid, skeletal"):
        cell_size_mm(spec)
    assert cell_size_mm(spec, NO_LIMITS) == spec.cell_mm


def test_walls_and_struts_have_limits_of_their_own():
    printer = replace(default_printer(), least_wall=Limit(0.1, "ours"), least_strut=Limit(0.35, "ours"))
    assert cell_size_mm(LatticeSpec("gyroid_sheet", 0.70, 0.55), printer) > 1.0
    with pytest.raises(GeometryError, match=r"struts of 0\.3\d\d mm, below 0\.35 mm"):
        cell_size_mm(LatticeSpec(), printer)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (LatticeSpec(cell="foam"), r"'foam'.*gyroid_skeletal, .*bcc"),
        (LatticeSpec(porosity=0.95), r"Gyroid, skeletal at 95\.0 % .*choose \d\d to \d\d %"),
        (LatticeSpec(cell="bcc", porosity=0.10), r"Body-centred cubic struts at 10\.0 % .*choose \d\d to \d\d %"),
        (LatticeSpec(porosity=float("nan")), "not possible"),
        (LatticeSpec(pore_mm=0.0), "pore size must be positive"),
        (LatticeSpec(pore_mm=-0.5), "pore size must be positive"),
        (LatticeSpec(pore_mm=float("nan")), "pore size must be positive"),
        (LatticeSpec(pore_mm=float("inf")), "pore size must be"),
        (LatticeSpec(pore_mm=0.3), r"struts of 0\.16\d mm, below 0\.20 mm: take pores of at least 0\.3\d+ mm"),
        (LatticeSpec(porosity=0.85, pore_mm=0.5), r"or at most [78]\d\.\d % porosity with these pores"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(spec, words):
    with pytest.raises(GeometryError, match=words):
        cell_size_mm(spec)


@pytest.mark.parametrize("wish", [LatticeSpec(pore_mm=0.3), LatticeSpec("bcc", 0.85, 0.6), LatticeSpec("kelvin")])
def test_the_remedies_offered_can_be_made_and_are_the_nearest(wish):
    with pytest.raises(GeometryError) as refused:
        cell_size_mm(wish)
    words = str(refused.value)
    pore = float(re.search(r"at least ([\d.]+) mm at this", words)[1])
    cell_size_mm(replace(wish, pore_mm=pore))
    with pytest.raises(GeometryError):
        cell_size_mm(replace(wish, pore_mm=pore - 0.002))
    share = float(re.search(r"at most ([\d.]+) %", words)[1]) / 100.0
    cell_size_mm(replace(wish, porosity=share))
    with pytest.raises(GeometryError):
        cell_size_mm(replace(wish, porosity=share + 0.002))
    titles = {cell.title: name for name, cell in CELLS.items()}
    offered = words.partition("another cell: ")[2]
    able = {name for title, name in titles.items() if title in offered.split("; ")}
    for name in NAMES:
        other = replace(wish, cell=name)
        low, high = cell_named(name).porosities
        fits = low <= wish.porosity <= high and other.thickness_mm >= default_printer().least(cell_named(name)).mm
        assert (name in able) == fits, name


@pytest.mark.parametrize(
    ("name", "cell_mm", "thickness_mm", "words"),
    [
        ("foam", 1.0, 0.3, "'foam'"),
        ("bcc", 0.0, 0.3, "cell size must be positive"),
        ("bcc", float("nan"), 0.3, "cell size must be positive"),
        ("bcc", 1.0, 0.15, r"struts of 0\.150 mm cannot be printed: take at least 0\.20 mm"),
        ("gyroid_sheet", 1.5, 0.2, r"walls of 0\.200 mm cannot be printed: take at least 0\.40 mm"),
        ("bcc", 0.3, 0.25, r"cells of 0\.30 mm cannot be printed: take cells of at least 0\.\d\d mm"),
        ("bcc", 1.0, 0.9, r"struts of 0\.\d\d to 0\.\d\d mm, or cells of \d\.\d\d to \d\.\d\d mm"),
        ("bcc", 1.0, float("nan"), "not possible"),
    ],
)
def test_a_cell_that_cannot_be_made_is_refused_by_name(name, cell_mm, thickness_mm, words):
    with pytest.raises(GeometryError, match=words):
        spec_of_cell(name, cell_mm, thickness_mm)


def test_a_cell_and_its_struts_are_what_was_asked_for():
    spec = spec_of_cell("bcc", 1.2, 0.33)
    assert spec.cell_mm == pytest.approx(1.2)
    assert spec.thickness_mm == pytest.approx(0.33)
    assert spec.least_mm < spec.thickness_mm + 0.003
    sheet = spec_of_cell("gyroid_sheet", 1.59, 0.149, NO_LIMITS)
    # By the area of the surface, whatever its cell: wall = (1 − porosity) · cell / 3.09, measured by others.
    assert sheet.porosity == pytest.approx(1.0 - 0.149 * 3.09 / 1.59, abs=0.02)
    assert not math.isnan(sheet.throat_mm)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("cell_mm", "thickness_mm"), [(1.0, 0.9), (8.0, 0.45), (0.3, 0.21), (0.0, 0.5)])
def test_cells_that_cannot_be_are_refused_with_what_can(name, cell_mm, thickness_mm):
    try:
        spec_of_cell(name, cell_mm, thickness_mm)
    except GeometryError as error:
        words = str(error)
    else:
        cell = cell_named(name)
        low, high = (cell.strut_per_cell(porosity) for porosity in reversed(cell.porosities))
        assert low <= thickness_mm / cell_mm <= high
        return
    found = re.search(r"s of ([\d.]+) to ([\d.]+) mm, or cells of ([\d.]+) to ([\d.]+) mm", words)
    if not found:
        assert "cannot be printed" in words or "must be positive" in words
        return
    # What is offered is indeed possible, but for the last digit that is shown.
    thin, thick, small, large = (float(text) for text in found.groups())
    for offered in (thin + 0.006, thick - 0.006):
        spec_of_cell(name, cell_mm, offered)
    for offered in (small + 0.006, large - 0.006):
        spec_of_cell(name, offered, thickness_mm)
