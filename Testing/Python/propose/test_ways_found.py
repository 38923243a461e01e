"""What a search found, as findings of each implant."""

from __future__ import annotations

from dataclasses import replace

from insertion_toy import toy
from SpinalStrutDesignerLib.build.design import Design, Implant
from SpinalStrutDesignerLib.plan.insertion import Way, Waypoint
from SpinalStrutDesignerLib.propose.insertion import Search, Ways, insertion_findings
from SpinalStrutDesignerLib.propose.ways_found import WAY, ways_found

FRONT = Way(0.0, (Waypoint((0.0, 60.0, 0.0)), Waypoint()))


def longer(implant: Implant) -> Implant:
    return replace(implant, situation=replace(implant.situation, name="plus3mm", amount_mm=3.0))


def test_each_implant_has_its_outcome_and_what_was_measured_on_its_way() -> None:
    nominal = toy()
    design = Design((nominal, longer(nominal)), (), "")
    held = Search("plus3mm", None, ("T2", "larynx"), 12.4)
    plan = nominal.situation.plan
    ways = Ways(plan.with_(insertion=plan.insertion.with_(ways=(FRONT,))), (Search("nominal", FRONT), held))
    found = ways_found(ways, insertion_findings(ways, design), design)
    ids = [one.id for one in found]
    assert ids[0] == WAY and ids[-1] == f"plus3mm.{WAY}" and len(set(ids)) == len(ids)
    assert "insertion.bone" in ids and not [i for i in ids[:-1] if i.startswith("plus3mm.")]
    assert (found[0].value, found[0].verdict) == ("2 waypoints", "pass")
    last = found[-1]
    assert (last.value, last.verdict, last.title) == ("not found", "fail", "Way of the implant to its place (plus3mm)")
    assert "12 mm out of its place, held by T2, larynx" in last.detail and "resection" in last.detail


def test_a_search_that_was_given_up_says_so() -> None:
    implant = toy()
    design, ways = Design((implant,), (), ""), Ways(implant.situation.plan, (Search("nominal", None, (), 3.0),))
    (only,) = ways_found(ways, insertion_findings(ways, design), design)
    assert only.verdict == "fail" and only.blocks and "given up" in only.detail
