"""The pages a person reads: well-formed, whole, and never kinder than the findings."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from SpinalStrutDesignerLib.plan.catalogue import load_screws
from SpinalStrutDesignerLib.release.evidence import requirements, risks, speaking_for, state_of
from SpinalStrutDesignerLib.release.page import Html, findings_table, table, tag, text
from SpinalStrutDesignerLib.release.tables import plan_table, screws_table
from SpinalStrutDesignerLib.verify.finding import Finding

VOID = {"meta", "br", "img", "link", "hr", "input", "col"}
SENTENCE = "Research software, not a certified medical device."


class _Reader(HTMLParser):
    """Reads a page as a strict reader: every element closed in order; keeps words, classes, pictures and anchors."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []
        self.classes: list[str] = []
        self.sources: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(page)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.classes.append(given.get("class", ""))
        self.sources += [given["src"]] if "src" in given else []
        self.anchors |= {given["id"]} if "id" in given else set()
        self.links |= {given["href"]} if "href" in given else set()
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _page(folder: Path, name: str) -> _Reader:
    page = (folder / name).read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    return _Reader(page)


@pytest.mark.parametrize("name", ["summary.html", "technical_file.html"])
def test_pages_are_well_formed_self_contained_and_say_what_this_is(blocked, cleared, released, name):
    for toy in (blocked, cleared):
        page = _page(released(toy), name)
        assert SENTENCE in page.text and toy.plan.case_code in page.text
        assert all(source.startswith("data:image/png;base64,") for source in page.sources)
        assert all(link.startswith("#") and link[1:] in page.anchors for link in page.links)


def test_summary_shows_every_finding_with_its_verdict(blocked, released):
    page = _page(released(blocked), "summary.html")
    rows = {row[0].split("\n")[-1].strip(): row for row in page.rows if len(row) == 5 and row[0]}
    for finding in blocked.findings:
        row = rows[finding.id]
        assert row[2].split(" · ")[0] == finding.verdict.replace("_", " ")
        if finding.value is None:
            assert row[1] == "not evaluated"
    assert rows["clearance.oesophagus"][1] == "7.25 mm"
    assert "R 0.0, A 16.0, S 4.0" in rows["clearance.oesophagus"][4]
    assert "blocks" in rows["clearance.missing.airway"][2]


def test_summary_embeds_every_picture(cleared, released):
    page = _page(released(cleared), "summary.html")
    assert len(page.sources) == len(list((released(cleared) / "images").iterdir())) == 8


@pytest.mark.parametrize("name", ["summary.html", "technical_file.html"])
def test_the_banner_is_there_exactly_when_something_blocks(blocked, cleared, released, name):
    assert "banner blocked" in _page(released(blocked), name).classes
    page = _page(released(cleared), name)
    assert "banner blocked" not in page.classes and "banner open" in page.classes
    assert "No finding forbids manufacture" in page.text


def test_waivers_are_shown_with_name_and_reason(cleared, released):
    for name in ("summary.html", "technical_file.html"):
        words = _page(released(cleared), name).text
        assert "A. Surgeon" in words and "seen at surgery" in words


def test_technical_file_has_the_seventeen_sections_in_order(cleared, released):
    page = (released(cleared) / "technical_file.html").read_text("utf-8")
    numbers = re.findall(r'<h2 id="section-(\d+)">(\d+) ', page)
    assert numbers == [(str(i), str(i)) for i in range(17)]


def test_technical_file_repeats_the_manifests_hashes(cleared, released):
    folder = released(cleared)
    hashes = json.loads((folder / "manifest.json").read_text("utf-8"))["sha256"]
    rows = {row[0]: row[1] for row in _page(folder, "technical_file.html").rows if len(row) == 2}
    for name, value in hashes.items():
        if name != "technical_file.html":
            assert rows[name] == value


def test_technical_file_leaves_to_people_what_only_they_can_write(cleared, released):
    words = _page(released(cleared), "technical_file.html").text
    for who in ("the prescriber", "the manufacturer", "the risk team", "the surgeon", "regulatory affairs"):
        assert f"to be completed by {who}" in words
    assert "verify locally" in words


def test_the_statement_must_not_be_signed_while_findings_forbid_it(blocked, cleared, released):
    sentence = "this statement must not be signed"
    assert sentence in _page(released(blocked), "technical_file.html").text
    assert sentence not in _page(released(cleared), "technical_file.html").text


def test_a_requirement_without_findings_is_never_passed(blocked, released):
    page = _page(released(blocked), "technical_file.html")
    rows = {row[0]: row for row in page.rows if len(row) == 6 and re.fullmatch(r"R\d+", row[0])}
    assert set(rows) == {r.id for r in requirements()}
    for requirement in requirements():
        own = speaking_for(requirement, blocked.findings, ("plus3mm.",))
        state = rows[requirement.id][3]
        if any(f.verdict == "fail" for f in own):
            assert state.startswith("fail")
        elif requirement.findings == ("check.",):
            assert state == "all checks measured"
        elif not own:
            assert state == "not evaluated", requirement.id
    assert rows["R1"][3].startswith("fail") and "clearance.missing.airway" in rows["R1"][3]
    assert rows["R4"][3] == "not evaluated"


def test_requirements_take_the_findings_of_variants_too(blocked):
    first = next(r for r in requirements() if r.id == "R1")
    ids = [f.id for f in speaking_for(first, blocked.findings, ("plus3mm.",))]
    assert "plus3mm.clearance.spinal_cord" in ids and "screw.1.canal" not in ids


def test_every_risk_names_requirements_that_exist():
    known = {r.id for r in requirements()}
    assert risks() and all(risk.requirements and set(risk.requirements) <= known for risk in risks())


_VERDICT = st.sampled_from(["pass", "warn", "fail", "not_evaluated", "waived"])


@given(st.lists(_VERDICT, max_size=6))
def test_a_state_is_as_bad_as_its_worst_finding(verdicts):
    findings = [Finding(f"x.{i}", "t", 1.0, "", "", v, "") for i, v in enumerate(verdicts)]
    shown = re.sub("<[^>]*>", " ", state_of(findings)).split()
    first = " ".join(shown[:2]) if shown[0] == "not" else shown[0]
    order = ["fail", "not evaluated", "warn", "waived", "pass"]
    wanted = min((v.replace("_", " ") for v in verdicts), key=order.index, default="not evaluated")
    assert first == wanted


@given(st.text(max_size=40))
def test_text_is_shown_as_written(words):
    page = _Reader(table(("a", "b"), [(words, tag("b", words))]))
    shown = page.rows[1]
    expected = words.replace("[?]", "verify locally")
    # A reader of HTML takes any line end for a line feed and no notice of characters that HTML forbids.
    if "\r" not in expected and expected.isprintable():
        assert shown == [expected, expected]


def test_markup_in_a_finding_is_shown_and_not_obeyed():
    evil = '<script>alert("x")</script> & <b>'
    finding = Finding("x.y", evil, evil, evil, evil, "warn", evil, None, False, evil)
    page = _Reader(findings_table([finding]))
    assert page.rows[1][0].startswith(evil) and "<script" not in findings_table([finding])
    assert isinstance(text(evil), Html) and text(text(evil)) == text(evil)


def test_facts_not_read_at_their_source_are_marked():
    assert 'class="local"' in text("yield 795; verify locally") and "[?]" not in text("pitch 1.75 [?]")


def test_screw_table_gives_angles_from_the_planned_direction(blocked):
    implant = blocked.design.implants[0]
    # The C4 plate's normal points down: a screw that rises 30 degrees moves away from it; and 20 degrees to the left.
    import numpy as np

    rise, left = np.deg2rad(30.0), np.deg2rad(20.0)
    back = -np.sqrt(1.0 - np.sin(rise) ** 2 - np.sin(left) ** 2)
    direction = (-float(np.sin(left)), float(back), float(np.sin(rise)))
    screw = implant.situation.plan.screws[0].with_(direction=direction)
    situation = replace(implant.situation, plan=implant.situation.plan.with_(screws=(screw,)))
    page = _Reader(screws_table(replace(implant, situation=situation), {f.id: f for f in blocked.findings}))
    cells = {row[0]: row[1] for row in page.rows}
    assert cells["Angle to the endplate's plane"] == "30° away from it"
    assert cells["Angle to the sagittal plane"] == "20° to the left"
    assert cells["To the spinal canal"] == "3.25 mm" and cells["To the side walls"] == "–"
    assert cells["Length"] == "14 mm" and cells["Level"] == "C4"


def test_a_default_s_source_does_not_speak_for_another_value(cleared):
    plan = cleared.plan
    wider = plan.with_(section=plan.section.with_(width_mm=12.5))
    thick = next(entry.value for entry in load_screws().values() if entry.value.diameter_mm == 6.5)
    wider = wider.with_(screws=(plan.screws[0].with_(type=thick, length_mm=thick.lengths_mm[0]),))
    rows = {row[0]: row for row in _Reader(plan_table(wider)).rows[1:]}
    assert rows["section.width_mm"][1] == "12.5"
    assert f"this patient; the preset has {plan.section.width_mm:g}" in rows["section.width_mm"][2]
    assert "this patient" not in rows["section.depth_mm"][2]
    # The sources of a field's default are those of the 3.5 mm screw.
    assert rows["screws.0.type.pilot_mm"][1] == "3.2" and "3.5 mm screw" not in rows["screws.0.type.pilot_mm"][2]


def test_plan_table_names_every_decision_with_a_source(cleared):
    rows = _Reader(plan_table(cleared.plan)).rows[1:]
    names = {row[0]: row for row in rows}
    for wanted in ("section.width_mm", "interface.pore_um", "screws.0.entry", "variants.0.amount_mm", "loads.axial_N"):
        assert names[wanted][2]
    assert names["section.width_mm"][1] == f"{cleared.plan.section.width_mm:g}"
    assert sum(name.startswith("rules: ") for name in names) == len(cleared.plan.rules)
