"""The catalogue of printers, and lattices as designed beside as expected from one."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from importlib.resources import files

import pytest
from LatticeGeneratorLib.cells import CELLS, cell_named
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.printing import catalogue
from LatticeGeneratorLib.printing.catalogue import default_printer, load_printers
from LatticeGeneratorLib.printing.predicted import compensated, predicted
from LatticeGeneratorLib.printing.printer import NO_LIMITS, AsBuilt

OWN = json.loads(files(catalogue.__package__).joinpath("printers.json").read_text("utf-8"))
KNOWN = [name for name, cell in CELLS.items() if default_printer().difference(cell)]


def written(folder, table) -> str:
    path = folder / "printers.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    return str(path)


def test_the_default_printer_s_limits_are_those_of_the_house():
    printer = default_printer()
    assert (printer.least_strut.mm, printer.coupon_strut.mm, printer.least_wall.mm) == (0.2, 0.4, 0.4)
    assert printer.least(cell_named("gyroid_sheet")) is printer.least_wall
    assert printer.least(cell_named("gyroid_skeletal")) is printer.least_strut
    assert all(limit.source for limit in (printer.least_strut, printer.coupon_strut, printer.least_wall))


@pytest.mark.parametrize(
    ("cell", "part", "least_um", "most_um"),
    [
        ("gyroid_sheet", "pore", -169.0, -24.0), ("gyroid_skeletal", "pore", -169.0, -24.0),
        ("diamond_skeletal", "pore", -93.0, -33.0), ("bcc", "strut", 7.5, 105.0), ("voronoi", "strut", 7.5, 105.0),
        ("diamond_cubic", "strut", 7.5, 105.0),
    ],
)  # fmt: skip
def test_as_built_differences_are_the_published_ones(cell, part, least_um, most_um):
    known = default_printer().difference(cell_named(cell))
    assert (known.part, known.least_um, known.most_um) == (part, least_um, most_um)
    assert known.source


def test_a_hospital_s_own_file_is_read(tmp_path):
    table = copy.deepcopy(OWN)
    table["entries"][0]["name"] = "ours"
    table["entries"][0]["least_wall"]["mm"] = 0.25
    table["entries"][0]["as_built"].append(
        {"cells": ["gyroid_sheet"], "part": "pore", "least_um": -20, "most_um": -10, "source": "coupon 7"}
    )
    printer = load_printers(written(tmp_path, table))["ours"]
    assert printer.least_wall.mm == 0.25
    # A cell's own entry goes before its family's.
    assert printer.difference(cell_named("gyroid_sheet")).most_um == -10.0
    assert printer.difference(cell_named("gyroid_skeletal")).most_um == -24.0


def spoilt(change) -> dict:
    table = copy.deepcopy(OWN)
    change(table["entries"][0])
    return table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([], "needs an object with 'schema'"),
        ({"schema": 2, "entries": OWN["entries"]}, "'schema': 1"),
        ({"schema": 1, "entries": []}, "no entries"),
        ({"schema": 1, "entries": [3]}, r"entries\.0: 3 is not an object"),
        ({"schema": 1, "entries": OWN["entries"] * 2}, "given more than once"),
        (spoilt(lambda e: e.pop("least_wall")), r"entries\.0\.least_wall: missing"),
        (spoilt(lambda e: e.update(least_wal={})), r"entries\.0\.least_wal: no such field"),
        (spoilt(lambda e: e.update(name=" ")), r"entries\.0\.name"),
        (spoilt(lambda e: e["least_strut"].update(mm="0.2")), r"Laser.*least_strut\.mm: '0\.2' is not a number"),
        (spoilt(lambda e: e["least_strut"].update(mm=True)), r"least_strut\.mm: True"),
        (spoilt(lambda e: e["least_strut"].update(mm=200)), r"least_strut\.mm: 200"),
        (spoilt(lambda e: e["least_wall"].update(mm=0)), r"least_wall\.mm: 0"),
        (spoilt(lambda e: e["least_wall"].update(source="")), r"least_wall\.source"),
        (spoilt(lambda e: e["least_wall"].pop("source")), r"least_wall\.source: missing"),
        (spoilt(lambda e: e["coupon_strut"].update(mm=0.1)), r"coupon_strut\.mm: 0\.1 is below least_strut, 0\.2"),
        (spoilt(lambda e: e.update(as_built={})), r"as_built: \{\} is not a list"),
        (spoilt(lambda e: e["as_built"][0].update(cells=["foam"])), r"as_built\.0\.cells: \['foam'\]"),
        (spoilt(lambda e: e["as_built"][0].update(cells="gyroid")), r"as_built\.0\.cells"),
        (spoilt(lambda e: e["as_built"][0].update(part="wall")), r"as_built\.0\.part: 'wall'"),
        (spoilt(lambda e: e["as_built"][1].update(least_um=5)), r"as_built\.1\.least_um, most_um: 5\.0 to -24\.0"),
        (spoilt(lambda e: e["as_built"].append(e["as_built"][1])), "'gyroid' is given more than once"),
    ],
)
def test_a_bad_entry_is_refused_by_name_and_field(tmp_path, table, words):
    with pytest.raises(GeometryError, match=words) as refused:
        load_printers(written(tmp_path, table))
    assert "printers.json" in str(refused.value)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(GeometryError, match=r"absent\.json: cannot be read"):
        load_printers(tmp_path / "absent.json")
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    with pytest.raises(GeometryError, match=r"bad\.json: cannot be read"):
        load_printers(tmp_path / "bad.json")


def test_pores_of_a_gyroid_print_small_and_the_rest_follows():
    made = predicted(LatticeSpec())
    assert (made.pore.designed, made.porosity.designed) == (0.55, 0.70)
    assert made.pore.predicted == pytest.approx(0.55 - 0.0965)
    assert made.pore.most == pytest.approx(0.55 - 0.024)
    assert made.pore.verdict == made.porosity.verdict == "warn"
    assert made.strut.predicted > made.strut.designed
    # A surface that moves into the void by d takes d per area: the metal grows as the pores shrink, roughly.
    assert made.strut.predicted - made.strut.designed == pytest.approx(0.0965, abs=0.03)
    assert made.porosity.least < made.porosity.predicted < made.porosity.most < 0.70


def test_struts_print_thick_and_the_rest_follows():
    spec = LatticeSpec("bcc", 0.70, 0.55)
    made = predicted(spec)
    assert made.strut.predicted - spec.thickness_mm == pytest.approx(0.05625)
    assert made.strut.least - spec.thickness_mm == pytest.approx(0.0075)
    assert made.strut.most - spec.thickness_mm == pytest.approx(0.105)
    assert made.pore.predicted < 0.55
    # The metal of thin struts goes with the square of their diameter.
    grown = 0.30 * (made.strut.predicted / made.strut.designed) ** 2
    assert 1.0 - made.porosity.predicted == pytest.approx(grown, abs=0.04)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize(("porosity", "pore"), [(0.60, 1.2), (0.65, 1.5), (0.55, 2.0)])
def test_what_is_ordered_compensated_comes_out_as_wished(name, porosity, pore):
    printer = replace(NO_LIMITS, as_built=default_printer().as_built)
    wish = LatticeSpec(name, porosity, pore)
    order = compensated(wish, printer)
    made = predicted(order, printer)
    assert made.pore.predicted == pytest.approx(pore, abs=1e-6)
    assert made.porosity.predicted == pytest.approx(porosity, abs=1e-6)
    assert order.cell_mm == pytest.approx(wish.cell_mm)
    assert order.porosity > porosity and order.thickness_mm < wish.thickness_mm


def test_a_compensation_that_cannot_be_printed_is_refused_in_words():
    with pytest.raises(GeometryError, match=r"cannot be compensated for Laser .*below 0\.20 mm.*larger pores"):
        compensated(LatticeSpec("rhombic_dodecahedron"))
    with pytest.raises(GeometryError, match=r"cannot be compensated .*choose another size"):
        compensated(LatticeSpec("gyroid_skeletal", 0.80, 0.40))
    with pytest.raises(GeometryError, match=r"I-WP, skeletal comes out of Laser .*is not known"):
        compensated(LatticeSpec("iwp_skeletal"))


@pytest.mark.parametrize(
    ("spec", "verdict", "words"),
    [
        (LatticeSpec(), "warn", "struts below 400 µm need a validated coupon"),
        (LatticeSpec("bcc", 0.70, 0.9), "pass", "struts of at least 200 µm"),
        (LatticeSpec("bcc", 0.70, 0.3), "fail", "struts below 200 µm cannot be printed"),
        (LatticeSpec("gyroid_sheet", 0.70, 0.55), "fail", "walls below 400 µm cannot be printed"),
        (LatticeSpec("gyroid_sheet", 0.60, 1.5), "pass", "walls of at least 400 µm"),
    ],
)
def test_the_strut_s_verdict_says_which_limit_counts(spec, verdict, words):
    strut = predicted(spec).strut
    assert strut.verdict == verdict
    assert words in strut.words


def test_what_is_not_known_is_not_evaluated():
    made = predicted(LatticeSpec("iwp_skeletal", 0.70, 1.2))
    assert made.pore.verdict == made.porosity.verdict == "not evaluated"
    assert made.pore.predicted is None and made.porosity.designed == 0.70
    assert made.strut.verdict == "pass"  # its limit is one of the design


def test_a_printer_that_prints_true_passes():
    true = AsBuilt(("struts",), "strut", -5.0, 5.0, "coupon 8")
    made = predicted(LatticeSpec("bcc", 0.70, 0.9), replace(default_printer(), as_built=(true,)))
    assert {made.pore.verdict, made.strut.verdict, made.porosity.verdict} == {"pass"}
    assert made.source == "coupon 8"


def test_growth_that_closes_the_cell_is_refused():
    thick = AsBuilt(("struts",), "strut", 300.0, 500.0, "coupon 9")
    with pytest.raises(GeometryError, match=r"would leave the porosities .*take larger pores"):
        predicted(LatticeSpec("bcc", 0.60, 0.5), replace(default_printer(), as_built=(thick,)))
