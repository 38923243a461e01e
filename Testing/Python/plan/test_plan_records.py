"""Every record refuses every wrong value by its full name, and keeps what it is given."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, is_dataclass
from typing import Any, get_args, get_origin

import numpy as np
import pytest
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan import insertion
from SpinalStrutDesignerLib.plan import plan as records
from SpinalStrutDesignerLib.plan.check import hints_of, options_of
from SpinalStrutDesignerLib.plan.json import plan_from_data, plan_from_json, plan_to_data, plan_to_json
from SpinalStrutDesignerLib.plan.limits import LIMITS, Range
from SpinalStrutDesignerLib.plan.plan import (
    Axis,
    Corrections,
    EndplateOverride,
    Flange,
    FootPlan,
    KeepoutRule,
    Material,
    Plan,
    Resection,
    Screw,
    ScrewType,
    Section,
    Variant,
    Waiver,
)
from SpinalStrutDesignerLib.plan.sources import source_of


def full_plan() -> Plan:
    """A plan with every list filled and every optional value given."""
    return Plan(
        upper="C4",
        lower="T2",
        corrections=Corrections(
            levels=(("bone_7", "C7"),),
            roles=(("rods", "metal"),),
            endplates=(EndplateOverride("C4", "inferior", (1.0, 2.0, 3.0), (0.0, 0.0, -1.0), 17.0, 15.0),),
        ),
        resections=(Resection("C6", (0.0, 1.0, 2.0), (0.0, 1.0, 0.0)),),
        axis=Axis(((0.0, 0.0, 0.0), (1.0, 2.0, -30.0), (0.0, 0.0, -70.0))),
        section=Section(lower_width_mm=9.0, lower_depth_mm=4.0),
        upper_flange=Flange(),
        lower_flange=Flange(azimuth_deg=90.0),
        screws=(Screw(ScrewType(), "C4", (0.0, 10.0, 5.0), (0.0, -1.0, 0.0), 14.0),),
        variants=(Variant(3.0),),
        waivers=(Waiver("clearance.carotids", "A. Surgeon", "seen in theatre"),),
    ).with_(loads=records.Loads(patient_weight_kg=70.0))


def leaves(
    data: Any, hint: Any, path: tuple[Any, ...] = (), row: Any = None
) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Path, type and limits of every single value in a plan's data."""
    hint, _ = options_of(hint)
    if is_dataclass(hint):
        for name, part in hints_of(hint).items():
            yield from leaves(data[name], part, (*path, name), LIMITS.get(f"{hint.__name__}.{name}"))
    elif get_origin(hint) is tuple:
        items = get_args(hint)
        for i, value in enumerate(data):
            yield from leaves(value, items[0] if items[-1] is Ellipsis else items[i], (*path, i), row)
    else:
        yield path, hint, row


def replaced(data: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


LEAVES = list(leaves(plan_to_data(full_plan()), Plan))
NUMBERS = [leaf for leaf in LEAVES if leaf[1] in (float, int)]


def named(leaf: tuple[tuple[Any, ...], Any, Any]) -> str:
    return ".".join(str(key) for key in leaf[0])


def refused(data: dict[str, Any]) -> str:
    with pytest.raises(PlanError) as caught:
        plan_from_data(data)
    return str(caught.value)


@pytest.mark.parametrize("leaf", NUMBERS, ids=named)
def test_each_number_out_of_range_is_refused_by_name_with_the_range(leaf):
    path, hint, row = leaf
    if not isinstance(row, Range):
        row = Range(-1.0, 1.0, "a direction's parts are only refused when not finite")
    else:
        for value in (row.low - 1.0, row.high + 1.0):
            value = hint(value)
            message = refused(replaced(plan_to_data(full_plan()), path, value))
            assert message.startswith(f"{named(leaf)}: {value:g}")
            assert f"outside {row.low:g} to {row.high:g}" in message
    for value in (float("nan"), float("inf"), -float("inf")):
        message = refused(replaced(plan_to_data(full_plan()), path, value))
        assert message.startswith(named(leaf) if isinstance(leaf[2], Range) else named(leaf).rpartition(".")[0])


@pytest.mark.parametrize("leaf", LEAVES, ids=named)
def test_each_value_of_a_wrong_type_is_refused_by_name(leaf):
    path, hint, _ = leaf
    wrong = {float: ["1", True, [], {}], int: ["1", True, 1.5], bool: [1, "true", None]}.get(hint, [1, True, [], ""])
    for value in wrong:
        message = refused(replaced(plan_to_data(full_plan()), path, value))
        assert message.startswith(f"{named(leaf)}: "), message


def test_each_field_left_out_or_unknown_is_refused_or_defaulted_by_name():
    data = plan_to_data(full_plan())
    for path in [(), ("section",), ("screws", 0), ("screws", 0, "type"), ("upper_flange",), ("rules", 3)]:
        message = refused(replaced(data, (*path, "colour"), 3))
        assert message.startswith(".".join([*(str(key) for key in path), "colour"]) + ": no such field")
    del data["screws"][0]["entry"]
    assert refused(data) == "screws.0.entry: missing; it has no default"
    assert plan_from_data({"upper": "C4", "lower": "T2"}) == Plan("C4", "T2")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Plan("C9", "T2"), "upper: 'C9' is no vertebra; levels are"),
        (lambda: Plan("T2", "C4"), "lower: C4 does not lie below upper, T2"),
        (lambda: Plan("C4", "C4"), "lower: C4 does not lie below upper, C4"),
        (lambda: Plan("C4", "T2", case_code="Jane Doe"), "case_code: 'Jane Doe' is not a code"),
        (lambda: Plan("C4", "T2", case_code="../x"), "case_code: '../x' is not a code"),
        (lambda: Plan("C4", "T2", schema=3), "schema: 3 is outside 2 to 2"),
        (lambda: Plan("C4", "T2", section=5), "section: 5 is not an object with the fields shape"),
        (lambda: Plan("C4", "T2", variants=(Variant(2.0), Variant(2.0))), "variants: 2.0 is given more than once"),
        (
            lambda: full_plan().with_(lower="T3", screws=(full_plan().screws[0].with_(level="T2"),)),
            r"screws\.0\.level: T2 is no docking level; screws go into C4 or T3",
        ),
        (lambda: Section(width_mm=400), "section.width_mm: 400 mm is outside 2 to 40 mm"),
        (lambda: Section(width_mm=float("nan")), "section.width_mm: nan mm is outside"),
        (lambda: Section(width_mm="10"), "section.width_mm: '10' is not a number"),
        (lambda: Section(shape="round"), "section.shape: 'round' is not one of ellipse, rounded_rectangle, concave"),
        (lambda: Section(depth_mm=2.5), "section.corner_radius_mm: 1.5 mm is more than half the least .* 1.25 mm"),
        (lambda: Section(lower_depth_mm=2.5), "section.corner_radius_mm: 1.5 mm is more than half"),
        (lambda: Section("concave_back", back_radius_mm=4), "section.back_radius_mm: 4 mm is less than half the width"),
        (lambda: FootPlan(fit_gap_mm=-0.1), "foot.fit_gap_mm: -0.1 mm is outside 0 to 2 mm"),
        (lambda: FootPlan(approach="posterior"), "foot.approach: 'posterior' is not one of anterior, right, left"),
        (lambda: Axis(((0, 0, 0), (0, 0, -9))), "axis.control_points: 2 points; an axis needs at least 3"),
        (lambda: Axis(((0, 0), (0, 1), (0, 2))), "axis.control_points.0: 2 values; it needs a list of 3 values"),
        (lambda: Axis(back=(0, 0, 0)), r"axis.back: \(0.0, 0.0, 0.0\) has no direction"),
        (lambda: Axis(back=(0, float("inf"), 0)), "axis.back: .* has no direction"),
        (lambda: Axis(back=(10**400, 0, 0)), "axis.back.0: 1000.* is too large"),
        (
            lambda: records.InterfacePlan(cell="gyriod"),
            "interface.cell: 'gyriod' is no lattice cell; cells are gyroid_sk",
        ),
        (lambda: Variant(-2.0), "variants.amount_mm: -2 mm is outside"),
        (lambda: KeepoutRule("aorta", "clearance", 5, 3, "x"), "rules.warn_mm: 3 mm is less than limit_mm, 5 mm"),
        (lambda: KeepoutRule("aorta", "displacement", 3, 5, "x"), "rules.warn_mm: 5 mm is more than limit_mm, 3 mm"),
        (lambda: KeepoutRule("aorta", "clearance", 5, 5, " "), "rules.source: ' ' is not a text; it must not be empty"),
        (lambda: Material(yield_MPa=900), "material.yield_MPa: 900 MPa is more than tensile_MPa, 860 MPa"),
        (lambda: ScrewType(core_mm=4), "screw type.core_mm: 4 mm is more than diameter_mm, 3.5 mm"),
        (lambda: ScrewType(clearance_hole_mm=3.4), "screw type.diameter_mm: 3.5 mm is more than clearance_hole_mm"),
        (lambda: ScrewType(seat_radius_mm=2.9), "screw type.head_radius_mm: 3 mm is more than seat_radius_mm, 2.9"),
        (lambda: ScrewType(lengths_mm=(12, 10)), "screw type.lengths_mm: .* from short to long"),
        (
            lambda: full_plan().screws[0].with_(length_mm=15),
            "screw.length_mm: 15 mm is not made for '3.5 mm .*'; nearest lengths: 14 and 16 mm",
        ),
        (lambda: full_plan().screws[0].with_(direction=(0, 0, 0)), "screw.direction: .* has no direction"),
        (lambda: full_plan().screws[0].with_(locked=1), "screw.locked: 1 is not true or false"),
        (lambda: Corrections(levels=(("a", "C8"),)), "corrections.levels: 'C8' for 'a' is no vertebra"),
        (lambda: Corrections(levels=(("a", "C4"), ("a", "C5"))), "corrections.levels: 'a' is given more than once"),
        (
            lambda: Corrections(roles=(("a", "tumour"),)),
            "corrections.roles: 'tumour' for 'a' is no role; roles are bone",
        ),
        (lambda: Waiver("x", "", "because"), "waivers.name: '' is not a text; it must not be empty"),
        (lambda: Section().with_(widht_mm=3), "section.widht_mm: no such field; did you mean width_mm"),
    ],
)
def test_a_wrong_decision_is_refused_with_its_name_value_and_remedy(make, message: str):
    with pytest.raises(PlanError, match=f"^{message}"):
        make()


def test_records_are_frozen_and_copies_leave_the_original():
    plan = full_plan()
    with pytest.raises(FrozenInstanceError):
        plan.section.width_mm = 3  # type: ignore[misc]
    wider = plan.with_(section=plan.section.with_(width_mm=12))
    assert wider.section.width_mm == 12.0 and plan.section.width_mm == 10.0
    assert wider.with_(section=plan.section) == plan


def test_arrays_lists_and_whole_numbers_become_the_declared_types():
    axis = Axis(np.array([[0, 0, 0], [0, 1, -9], [0, 0, -20]]), offset=[1, 2, 3], back=np.float32([0, -1, 0]))
    assert axis.control_points == ((0.0, 0.0, 0.0), (0.0, 1.0, -9.0), (0.0, 0.0, -20.0))
    assert all(type(x) is float for point in (*axis.control_points, axis.offset, axis.back) for x in point)
    assert type(Section(width_mm=12).width_mm) is float
    assert hash(axis) == hash(Axis(axis.control_points, (1.0, 2.0, 3.0), (0.0, -1.0, 0.0)))


def test_directions_become_unit_vectors_once():
    once = Axis(back=(3.0, -4.0, 1.0)).back
    assert np.linalg.norm(once) == pytest.approx(1.0, abs=1e-15)
    assert np.cross(once, (3.0, -4.0, 1.0)) == pytest.approx([0, 0, 0], abs=1e-12)
    assert Axis(back=once).back == once


def numeric_fields(hint: Any, seen: tuple[str, ...] = ()) -> Iterator[tuple[type, str, str]]:
    """Owner, name and dotted path of every field that holds numbers."""
    for name, part in hints_of(hint).items():
        inner = options_of(part)[0]
        while get_origin(inner) is tuple:
            inner = options_of(get_args(inner)[0])[0]
        if is_dataclass(inner):
            yield from numeric_fields(inner, (*seen, name))
        elif inner in (float, int):
            yield hint, name, ".".join((*seen, name))


def test_every_number_has_a_range_and_a_source():
    found = list(numeric_fields(Plan))
    assert len(found) > 80
    for owner, name, path in found:
        assert f"{owner.__name__}.{name}" in LIMITS, path
        assert len(source_of(path)) > 8, path


def test_the_table_has_no_row_for_a_field_that_does_not_exist():
    for key in LIMITS:
        owner, name = key.split(".")
        record = getattr(records, owner, None) or getattr(insertion, owner)
        assert name in hints_of(record), key


def test_what_was_only_recalled_says_verify_locally():
    recalled = ["core_mm", "pitch_mm", "head_diameter_mm", "head_radius_mm", "clearance_hole_mm", "seat_radius_mm"]
    paths = [f"screws.0.type.{name}" for name in [*recalled, "lengths_mm"]]
    paths += [f"screw_rules.{name}_mm" for name in ("canal", "endplate", "cortex", "screw", "under_head", "proud")]
    paths += ["material.yield_MPa", "material.tensile_MPa", "printer.envelope_mm", "printer.powder_hole_mm"]
    for path in paths:
        assert "verify locally" in source_of(path), path


def test_sources_are_found_by_dotted_name_and_refused_where_there_is_no_field():
    assert "888.3358" in source_of("interface.depth_mm")
    assert source_of("screws.2.type.core_mm") == source_of("screws.type.core_mm")
    with pytest.raises(PlanError, match=r"interface\.dept_mm: no such field; did you mean depth_mm"):
        source_of("interface.dept_mm")
    with pytest.raises(PlanError, match=r"upper\.left: no such field"):
        source_of("upper.left")


def test_json_text_is_the_same_every_time_and_exact():
    plan = full_plan()
    text = plan_to_json(plan)
    assert text == plan_to_json(full_plan())
    assert plan_from_json(text) == plan
    assert plan_to_json(plan_from_json(text)) == text
    assert json.loads(text) and text.startswith('{\n  "schema": 2,\n  "upper": "C4"')
