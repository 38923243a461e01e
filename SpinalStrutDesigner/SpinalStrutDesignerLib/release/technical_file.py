"""The technical file in first form: the skeleton of a custom-made device's documents, filled as far as data goes.

What only a person can write is a marked blank, and what was not evaluated is never shown as passed.
"""

from __future__ import annotations

from collections.abc import Callable

from ..case.model import Case
from ..verify.finding import Finding
from .evidence import requirements, risks, speaking_for, state_of
from .page import SENTENCE, Html, banner, blank, findings_table, heading, joined, listed, page, pairs, table, tag, text
from .records import number
from .statements import cleaning, inspection, label_and_card, manufacture, statement, surveillance
from .tables import Dossier, distances_table, implants_table, parts_table, plan_table, screws_table, strength_tables


def technical_file_page(dossier: Dossier) -> str:
    """technical_file.html."""
    plan, findings = dossier.plan, dossier.findings
    title = tag("h1", f"Technical file: {plan.case_code}, spinal strut {plan.upper} to {plan.lower}")
    note = (
        "First form, filled by SpinalStrutDesigner from the plan, the case and the findings. Fields in italics are for "
        "the person named in them. Facts marked 'verify locally' were not read at their source."
    )
    head = tag("header", joined((title, tag("small", SENTENCE), tag("p", note))))
    parts = [head, banner(findings)]
    for number_, (name, section) in enumerate(SECTIONS):
        parts += [heading(f"{number_} {name}", f"section-{number_}"), section(dossier)]
    return page(f"Technical file {plan.case_code}", joined(parts))


def _index(dossier: Dossier) -> Html:
    links = joined(Html(f'<a href="#section-{i}">{i} {text(name)}</a>') for i, (name, _) in enumerate(SECTIONS))
    version = dossier.design.versions.get("spinal-strut-designer", "unknown")
    facts = pairs(
        (
            ("Case code", dossier.plan.case_code),
            ("Design", Html(f"<code>{text(dossier.design.digest)}</code>")),
            ("Program", f"SpinalStrutDesigner {version}"),
            ("Version of this file, date, author", blank("the manufacturer")),
            (
                "Route",
                blank("the institution: custom-made (MDR Annex XIII), in-house (Art. 5(5)), FDA custom or matched"),
            ),
        )
    )
    route = (
        "Under the MDR a class III custom-made implant also needs the assessment of the quality system by Annex IX "
        "chapter I (or XI part A). The route is a decision of the institution."
    )
    return joined((tag("nav", links), facts, tag("p", route, "soft")))


def _prescription(dossier: Dossier) -> Html:
    plan = dossier.plan
    screws = [f"{s.level}: {s.type.name}, {number(s.length_mm)} mm" for s in plan.screws]
    weight = plan.loads.patient_weight_kg
    facts = pairs(
        (
            ("Patient (name, acronym or code)", plan.case_code),
            ("Patient's weight", "not given" if weight is None else f"{number(weight)} kg"),
            ("Prescriber and institution", blank("the prescriber")),
            ("Indication", blank("the prescriber")),
            ("Why no other treatment", blank("the prescriber")),
            ("Levels", f"{plan.upper} inferior endplate to {plan.lower} superior endplate"),
            ("Thickness", f"{number(plan.section.width_mm)} × {number(plan.section.depth_mm)} mm"),
            ("Material", plan.material.name),
            ("Screws: number, type and level", listed(screws) or "none"),
            ("Approval of these characteristics", blank("the prescriber: name, date, signature")),
        )
    )
    note = "Data in DICOM alone is no prescription (MDCG 2021-3): these characteristics are signed by the prescriber."
    against = [f for f in dossier.findings if f.id.startswith("strength.") and f.id.endswith(".rod")]
    return joined((facts, tag("p", note, "soft"), tag("h3", "Off-the-shelf alternative"), findings_table(against)))


def _description(dossier: Dossier) -> Html:
    disposition = [
        (i.part.name, blank("the manufacturer: implanted, returned or destroyed")) for i in dossier.design.implants
    ]
    return joined(
        (
            tag(
                "p",
                "A strut that bridges destroyed vertebrae, with feet that rest on both endplates, porous "
                "interfaces, and screws into the docking vertebrae.",
            ),
            implants_table(dossier.plan, dossier.design, dossier.by_id),
            tag("h3", "Screws"),
            screws_table(dossier.design.implants[0], dossier.by_id),
            tag("h3", "Parts"),
            parts_table(dossier.design),
            tag("h3", "What becomes of every size"),
            table(("Implant", "Disposition"), disposition),
            tag("h3", "Design rationale: every decision with its source"),
            tag(
                "p",
                "Principle: as large as the anatomy allows (Willemsen 2019), and as near to the column as standing "
                "bone and the keep-out rules allow. What was decided for this patient, and where it comes from:",
            ),
            plan_table(dossier.plan),
        )
    )


def _imaging(dossier: Dossier) -> Html:
    case = dossier.case
    rows = [
        (s.name, s.role.replace("_", " "), s.level or "–", f"{s.mask.volume / 1000.0:.2f}") for s in case.structures
    ]
    facts = pairs(
        (
            ("Scan", case.name),
            ("Digest of voxels and labels", Html(f"<code>{text(case.digest)}</code>")),
            ("Voxels", " × ".join(number(x) for x in case.quality.spacing_mm) + " mm"),
            ("Slice thickness", f"{number(case.quality.slice_thickness_mm)} mm"),
            ("Scanner, protocol, date", blank("the radiologist")),
            ("Posture and changes since the scan", blank("the surgeon")),
            ("Segmented by, checked by", blank("the person who segmented and the one who checked")),
            ("Found by the program, from seeds at", _seed_words(case)),
            ("Names with no known meaning", ", ".join(case.unknown) or "none"),
        )
    )
    own = [f for f in dossier.findings if f.id.startswith(("scan.", "labels."))]
    structures = table(("Structure", "Role", "Level", ">Volume, cm³"), rows)
    return joined(
        (facts, listed(case.quality.notes), findings_table(own), tag("h3", "Structures as labelled"), structures)
    )


def _seed_words(case: Case) -> str:
    places = (f"{level} at R {r:.1f} A {a:.1f} S {s:.1f}" for level, (r, a, s) in case.seeds)
    return "; ".join(places) or "nothing: all structures were given"


def _matrix(dossier: Dossier) -> Html:
    rows = []
    for requirement in requirements():
        own = speaking_for(requirement, dossier.findings, dossier.variants)
        # Checks that could be made leave no finding: only these may be silent.
        state = text("all checks measured") if not own and requirement.findings == ("check.",) else state_of(own)
        person = joined((requirement.person, Html("<br>"), blank("the verifier")))
        rows.append((requirement.id, requirement.requirement, requirement.variables, state, person, requirement.source))
    columns = ("ID", "Requirement", "Variables", "Verified by findings", "Verified by people", "Source")
    return joined((table(columns, rows), distances_table(dossier.case, dossier.design, dossier.by_id)))


def _history(dossier: Dossier) -> Html:
    waived = [(w.finding, w.name, w.reason) for w in dossier.plan.waivers]
    sessions = [(str(i), blank("the team"), blank("the team"), blank("the surgeon")) for i in (1, 2, 3)]
    return joined(
        (
            tag(
                "p",
                "The published cases took one review and two rounds, or five sessions and two cadaver sessions.",
            ),
            table(("Session", "Date and people", "What was changed and why", "Approved by"), sessions),
            tag("h3", "Findings waived by name"),
            table(("Finding", "Name", "Reason"), waived),
        )
    )


def _tests(dossier: Dossier) -> Html:
    own = [f for f in dossier.findings if f.id.startswith(("strength.", "eccentricity."))]
    return joined(
        (
            tag("h3", "Beam theory on the finished mesh, nominal implant"),
            strength_tables(dossier.loads),
            findings_table(own),
            tag("h3", "Finite elements"),
            tag("p", joined((state_of(()), "no analysis is part of this release.", blank("the analyst")))),
            tag("h3", "Bench tests (compression, and the interface's coupon)"),
            tag("p", joined((state_of(()), blank("the test laboratory")))),
        )
    )


def _risk_file(dossier: Dossier) -> Html:
    known = {r.id: r for r in requirements()}
    rows = []
    for risk in risks():
        own: dict[str, Finding] = {}
        for name in risk.requirements:
            own |= {f.id: f for f in speaking_for(known[name], dossier.findings, dossier.variants)}
        team = blank("the risk team")
        rows.append(
            (
                risk.id,
                risk.hazard,
                team,
                risk.situation,
                team,
                risk.harm,
                team,
                team,
                team,
                f"{risk.control} ({risk.type})",
                risk.new_risks,
                state_of(list(own.values())),
                team,
                team,
                team,
            )
        )
    columns = (
        "ID",
        "Hazard",
        "p1",
        "Hazardous situation",
        "p2",
        "Harm",
        "Probability",
        "Severity",
        "Acceptable?",
        "Control and type",
        "New risks",
        "Implementation verified by findings",
        "Effectiveness verified",
        "Residual probability and severity",
        "Acceptable?",
    )
    note = "In the form of ISO 14971, seeded from the risk table of Willemsen et al. 2019."
    return joined((tag("p", note, "soft"), tag("div", table(columns, rows), "risks")))


def _performance(dossier: Dossier) -> Html:
    del dossier  # the same list for every device
    chapters = (
        "1–9 General requirements",
        "10 Chemical, physical and biological properties",
        "11 Infection and microbial contamination",
        "12 Medicinal substances",
        "13 Materials of biological origin",
        "14 Construction and interaction with the environment",
        "15 Diagnostic or measuring function",
        "16 Radiation",
        "17 Electronic programmable systems",
        "18 Active devices",
        "19 Active implantable devices",
        "20 Mechanical and thermal risks",
        "21 Energy or substances supplied",
        "22 Use by lay persons",
        "23 Label and instructions for use",
    )
    rows = [(name, blank("regulatory affairs"), blank("regulatory affairs")) for name in chapters]
    note = tag("p", "Headings of MDR Annex I: verify locally.")
    return joined((note, table(("Annex I", "Applies; standard or solution", "Evidence, or grounds if not met"), rows)))


def _clinical(dossier: Dossier) -> Html:
    del dossier
    items = (
        "Precedent: Willemsen K, Nizak R, Noordmans HJ, Castelein RM, Weinans H, Kruyt MC. Challenges in the design "
        "and regulatory approval of 3D-printed surgical implants: a two-case series. Lancet Digital Health 2019;"
        "1:e163–71.",
        joined(("Clinical evaluation of this device:", blank("the clinical evaluator"))),
        joined(("Checklist of what CT cannot show:", blank("the surgeon"))),
    )
    return listed(items)


def _record(dossier: Dossier) -> Html:
    rows = [
        (Html(f"<code>{text(name)}</code>"), Html(f"<code>{value}</code>"))
        for name, value in sorted(dossier.hashes.items())
    ]
    versions = sorted(dossier.design.versions.items())
    note = "Of every file but this one and manifest.json; the manifest holds the hash of this one too."
    return joined(
        (
            tag("h3", "Software"),
            pairs(versions),
            tag("h3", "SHA-256"),
            tag("p", note, "soft"),
            table(("File", "Hash"), rows),
        )
    )


SECTIONS: tuple[tuple[str, Callable[[Dossier], Html]], ...] = (
    ("Index and versions", _index),
    ("Prescription, indication, alternatives", _prescription),
    ("Device description and variants", _description),
    ("Imaging and segmentation record", _imaging),
    ("Requirements and their verification", _matrix),
    ("Design history, sessions, approvals", _history),
    ("Computational and bench tests", _tests),
    ("Risk file", _risk_file),
    ("General safety and performance checklist", _performance),
    ("Clinical evaluation", _clinical),
    ("Material, print, heat treatment, machining, polish", manufacture),
    ("Cleaning and sterilisation", cleaning),
    ("Inspection", inspection),
    ("Label, instructions, implant card", label_and_card),
    ("Statement", statement),
    ("Post-market follow-up", surveillance),
    ("File hashes and software versions", _record),
)
