"""Presets and catalogues against the published numbers, and settings as a person types them."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from SpinalStrutDesignerLib import plan as plan_room
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.catalogue import chosen, load_materials, load_printers, load_screws
from SpinalStrutDesignerLib.plan.plan import Flange, Material, Plan, Printer, Screw, ScrewType, Variant
from SpinalStrutDesignerLib.plan.presets import preset, preset_names, preset_screws, preset_source
from SpinalStrutDesignerLib.plan.setting import with_setting, with_settings


def test_case_2_is_the_implant_as_published():
    plan = preset("case2", "C4", "T2")
    assert (plan.upper, plan.lower, plan.preset) == ("C4", "T2", "case2")
    assert (plan.section.shape, plan.section.width_mm, plan.section.depth_mm) == ("rounded_rectangle", 10.0, 5.0)
    assert [variant.amount_mm for variant in plan.variants] == [3.0]
    upper, lower = preset_screws("case2")
    assert [screw.diameter_mm for screw in upper] == [3.5, 3.5]
    assert [screw.diameter_mm for screw in lower] == [6.5]
    assert plan.axis.control_points == () and plan.screws == ()


def test_case_1_is_the_implant_as_published():
    plan = preset("case1", "C6", "T11")
    assert plan.section.shape == "ellipse" and plan.section.width_mm == plan.section.depth_mm
    assert [variant.amount_mm for variant in plan.variants] == [2.0, 4.0]
    upper, lower = preset_screws("case1")
    assert [screw.diameter_mm for screw in upper] == [3.5, 3.5]
    assert [screw.diameter_mm for screw in lower] == [3.5, 6.5]
    assert plan.lower_foot.approach == "right" and plan.lower_flange.azimuth_deg == 90.0
    # the published "ten times a 5.5 mm rod" lies between its axial and its bending stiffness
    ratio = plan.section.width_mm / 5.5
    assert ratio**2 < 10.0 < ratio**4


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_the_published_interface_and_loads_and_a_source(name: str):
    plan = preset(name, "C5", "T4")
    assert 500.0 <= plan.interface.pore_um <= 600.0 and plan.interface.porosity == 0.70
    assert plan.loads.axial_N == 500.0 and plan.loads.envelope_N == 1650.0
    assert "Willemsen" in preset_source(name) and "verify locally" in preset_source(name)
    assert plan.rules


def test_an_unknown_preset_or_level_is_refused():
    with pytest.raises(PlanError, match="preset: 'case3' is not known; presets are case1, case2"):
        preset("case3", "C4", "T2")
    with pytest.raises(PlanError, match="lower: 'T14' is no vertebra"):
        preset("case2", "C4", "T14")


def test_the_screws_of_the_paper_are_in_the_catalogue_with_what_must_be_verified():
    screws = load_screws()
    small, large = screws["3.5 mm small-fragment cancellous"], screws["6.5 mm fully threaded cancellous"]
    assert (small.value.diameter_mm, small.value.pilot_mm) == (3.5, 2.5)
    assert (large.value.diameter_mm, large.value.core_mm, large.value.pilot_mm) == (6.5, 3.0, 3.2)
    assert "core_mm" in small.verify_locally and "core_mm" not in large.verify_locally
    for entry in screws.values():
        recalled = {
            "pitch_mm",
            "head_diameter_mm",
            "head_radius_mm",
            "clearance_hole_mm",
            "seat_radius_mm",
            "lengths_mm",
        }
        assert recalled <= set(entry.verify_locally)
        assert "verify against the hospital's set" in entry.source
    assert small.value.lengths_mm == tuple(range(10, 51, 2)) and large.value.lengths_mm == tuple(range(20, 121, 5))


def test_the_records_defaults_are_the_catalogues_first_entries():
    assert next(iter(load_screws().values())).value == ScrewType()
    assert next(iter(load_materials().values())).value == Material()
    assert next(iter(load_printers().values())).value == Printer()
    assert "PA12, laser sintered" in load_materials()


def test_a_hospital_s_own_screws_are_used_and_checked(tmp_path):
    name = "3.5 mm small-fragment cancellous"
    values = {
        "name": name, "diameter_mm": 3.5, "core_mm": 2.0, "pitch_mm": 1.75,
        "head_diameter_mm": 6.0, "head_radius_mm": 3.0, "pilot_mm": 2.5, "clearance_hole_mm": 3.8,
        "seat_radius_mm": 3.1, "seat": "spherical", "seat_angle_deg": 90, "drive": "hexagon 2.5 mm",
        "driver_diameter_mm": 5, "lengths_mm": [12, 14, 16],
    }  # fmt: skip
    file = tmp_path / "ours.json"

    def written(**changes) -> str:
        entry = {"values": {**values, **changes}, "source": "our set, 2024", "verify_locally": []}
        file.write_text(json.dumps({"schema": 1, "mode": "replaces", "entries": [entry]}), "utf-8")
        return str(file)

    ours = load_screws(written())
    assert chosen(ours, "3.5 mm small-fragment cancellous").clearance_hole_mm == 3.8
    with pytest.raises(PlanError, match=rf"ours.json: entries.0 \('{name}'\).values.core_mm: 20 mm is outside 0.5 to"):
        load_screws(written(core_mm=20))
    with pytest.raises(PlanError, match=r"entries\.0 .*values.colour: no such field"):
        load_screws(written(colour="blue"))
    with pytest.raises(PlanError, match=r"'6\.5 mm fully threaded cancellous' is not in the catalogue; it has: 3.5 mm"):
        preset_screws("case1", written())
    del values["pitch_mm"]
    with pytest.raises(PlanError, match="missing pitch_mm; a catalogue entry gives every field"):
        load_screws(written())
    with pytest.raises(PlanError, match=r"absent\.json: cannot be read as a table of screws"):
        load_screws(tmp_path / "absent.json")
    file.write_text("{}", "utf-8")
    with pytest.raises(PlanError, match="not a table of screws; it needs an object with 'schema': 1"):
        load_screws(file)


def written(tmp_path, names: list[str], **top) -> str:
    """A hospital's file with the first screw of the package under other names, with a bore of its own."""
    values = json.loads(files(plan_room).joinpath("data/screws.json").read_text("utf-8"))["entries"][0]["values"]
    rows = [{"values": {**values, "name": n, "clearance_hole_mm": 3.9}, "source": "ours", "verify_locally": []}
            for n in names]  # fmt: skip
    file = tmp_path / "ours.json"
    file.write_text(json.dumps({"schema": 1, **top, "entries": rows}), "utf-8")
    return str(file)


def test_a_hospital_s_file_adds_and_where_names_are_the_same_holds(tmp_path):
    small, large = load_screws()
    for top in ({}, {"mode": "adds"}):
        found = load_screws(written(tmp_path, ["ours", small], **top))
        assert set(found) == {small, large, "ours"}
        assert [found[n].value.clearance_hole_mm for n in (small, "ours")] == [3.9, 3.9]
        assert found[small].source == "ours" and found[large] == load_screws()[large]
        upper, lower = preset_screws("case1", written(tmp_path, [small], **top))
        assert [s.clearance_hole_mm for s in (*upper, *lower)] == [3.9, 3.9, 3.9, 6.7]
    assert load_screws()[small].value.clearance_hole_mm == 3.7  # the package's own is left alone


def test_a_hospital_s_file_replaces_where_it_says_so(tmp_path):
    assert set(load_screws(written(tmp_path, ["ours", "theirs"], mode="replaces"))) == {"ours", "theirs"}
    with pytest.raises(PlanError, match=r"ours.json: mode: 'extends' is not one of adds, replaces"):
        load_screws(written(tmp_path, ["ours"], mode="extends"))
    with pytest.raises(PlanError, match=r"entries.1 \('ours'\).values.name: 'ours' is given more than once"):
        load_screws(written(tmp_path, ["ours", "ours"]))


def planned() -> Plan:
    screw = Screw(ScrewType(), "C4", (0, 10, 5), (0, -1, 0), 14)
    return preset("case2", "C4", "T2").with_(screws=(screw, screw))


@pytest.mark.parametrize(
    ("setting", "found", "value"),
    [
        ("section.width_mm=12", lambda p: p.section.width_mm, 12.0),
        (" section.width_mm = 12.5 ", lambda p: p.section.width_mm, 12.5),
        ("section.shape=concave_back", lambda p: p.section.shape, "concave_back"),
        ("section.lower_width_mm=8", lambda p: p.section.lower_width_mm, 8.0),
        ("section.lower_width_mm=none", lambda p: p.section.lower_width_mm, None),
        ("screws.1.length_mm=16", lambda p: [s.length_mm for s in p.screws], [14.0, 16.0]),
        ("screws.0.bicortical=true", lambda p: p.screws[0].bicortical, True),
        ("screws.0.entry=1,2,-3", lambda p: p.screws[0].entry, (1.0, 2.0, -3.0)),
        ("axis.offset=[1, 2, 3]", lambda p: p.axis.offset, (1.0, 2.0, 3.0)),
        ("axis.offset.2=4", lambda p: p.axis.offset, (0.0, 0.0, 4.0)),
        ("lower_flange=none", lambda p: p.lower_flange, None),
        ("lower_flange={}", lambda p: p.lower_flange, Flange()),
        ('variants=[{"amount_mm": 5, "mode": "distracts"}]', lambda p: p.variants, (Variant(5.0, "distracts"),)),
        ("variants=[]", lambda p: p.variants, ()),
        ("case_code=A-17", lambda p: p.case_code, "A-17"),
        ("loads.patient_weight_kg=71.5", lambda p: p.loads.patient_weight_kg, 71.5),
    ],
)
def test_a_setting_sets_one_field_and_nothing_else(setting: str, found, value):
    plan = planned()
    changed = with_setting(plan, setting)
    assert found(changed) == value
    top = setting.strip().split("=")[0].split(".")[0].strip()
    assert changed.with_(**{top: getattr(plan, top)}) == plan


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("section.widht_mm=12", "section.widht_mm: no such field; did you mean width_mm"),
        ("sektion.width_mm=12", "sektion: no such field; did you mean section"),
        ("width_mm=12", "width_mm: no such field; did you mean section.width_mm or"),
        ("section.width_mm=wide", "section.width_mm: 'wide' is not a number"),
        ("section.width_mm=", "section.width_mm: '' is not a number"),
        ("section.width_mm=1,2", "section.width_mm: '1,2' is not a number"),
        ("section.width_mm=nan", "section.width_mm: nan mm is outside 2 to 40 mm"),
        ("section.width_mm=120", "section.width_mm: 120 mm is outside 2 to 40 mm"),
        ("section.width_mm=none", "section.width_mm: 'none' is not a number"),
        ("section.width_mm.x=1", "section.width_mm.x: no such field; section.width_mm is a single value"),
        ("section.shape=square", "section.shape: 'square' is not one of ellipse"),
        ("section=wide", "section: not valid JSON"),
        ("screws.2.length_mm=16", "screws.2: there is no such entry; screws has 2, counted from 0"),
        ("screws.-1.length_mm=16", "screws.-1: there is no such entry"),
        ("screws.0.length_mm=15", "screws.0.length_mm: 15 mm is not made for .* nearest lengths: 14 and 16"),
        ("screws.0.bicortical=yes", "screws.0.bicortical: 'yes' is not true or false"),
        ("axis.offset=1,2", "axis.offset: 2 values; it needs a list of 3 values"),
        ("schema=1.0", "schema: '1.0' is not a whole number"),
        ("section.width_mm", "'section.width_mm' is no setting; write field=value"),
        ("=12", "'=12' is no setting"),
        ("lower=C3", "lower: C3 does not lie below upper, C4"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(setting: str, message: str):
    with pytest.raises(PlanError, match=f"^{message}"):
        with_setting(planned(), setting)


def test_a_field_of_something_absent_says_how_to_set_it_first():
    plan = with_setting(planned(), "lower_flange=none")
    with pytest.raises(PlanError, match=r"lower_flange: is none; set it first, as in lower_flange=\{\}"):
        with_setting(plan, "lower_flange.width_mm=12")


def test_settings_together_are_checked_at_the_end():
    with pytest.raises(PlanError, match=r"section\.corner_radius_mm"):
        with_setting(planned(), "section.depth_mm=2.5")
    plan = with_settings(planned(), ["section.depth_mm=2.5", "section.corner_radius_mm=1"])
    assert (plan.section.depth_mm, plan.section.corner_radius_mm) == (2.5, 1.0)
