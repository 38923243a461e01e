"""Sections of the technical file that people complete: manufacture, label, the Annex XIII statement, follow-up."""

from __future__ import annotations

from collections.abc import Iterable

from .page import Html, blank, joined, listed, pairs, table, tag
from .records import MARK, blocking_reasons, number
from .tables import Dossier


def manufacture(dossier: Dossier) -> Html:
    """Section 10: what is printed of what, and the steps after printing."""
    plan = dossier.plan
    printer = plan.printer
    facts = pairs(
        (
            ("Material", f"{plan.material.name} ({plan.material.source or 'verify locally'})"),
            ("Printer as planned", f"{printer.name} ({printer.source or 'verify locally'})"),
            ("Build orientation and supports", blank("the manufacturer; none on the contact faces")),
            ("Powder lot, machine, job", blank("the manufacturer")),
            ("Supplier's declaration", blank("the supplier")),
        )
    )
    steps = (
        "STL preparation",
        "Printing",
        "Heat treatment (HIP)",
        "Screw-hole milling",
        "Polishing, porous zones masked",
    )
    rows = [(step, blank("the manufacturer"), blank("the manufacturer")) for step in steps]
    stock = [
        f"Screw {i} ({s.level}): bore {number(s.type.clearance_hole_mm)} mm and seat radius "
        f"{number(s.type.seat_radius_mm)} mm finished; print undersize and stock for milling: verify locally"
        for i, s in enumerate(plan.screws, start=1)
    ]
    return joined((facts, table(("Step", "Parameters and record", "Signed"), rows), listed(stock)))


def cleaning(dossier: Dossier) -> Html:
    """Section 11."""
    del dossier  # the same questions for every device
    return _asked(("Cleaning, residual powder", "Sterilisation", "Validation"), "the hospital's sterilisation unit")


def inspection(dossier: Dossier) -> Html:
    """Section 12: what is inspected on the finished implant."""
    volume = f"Volume against {number(dossier.design.implants[0].part.mesh.volume)} mm³ as designed (nominal)"
    topics = (
        "Dimensions against the drawing",
        volume,
        "Distortion after heat treatment",
        "Porous zones, residual powder",
        "Surface and screw holes",
    )
    return _asked(topics, "the inspector")


def label_and_card(dossier: Dossier) -> Html:
    """Section 13: the label's contents by MDR Annex I 23.2, and the implant card by Article 18."""
    names = ", ".join(i.part.name for i in dossier.design.implants)
    facts = pairs(
        (
            ("Name", f"Spinal strut {dossier.plan.upper} to {dossier.plan.lower} ({names})"),
            ("Patient identification", dossier.plan.case_code),
            ("Design iteration", f"{dossier.design.digest[:12]} (mark on the device)"),
            ("Manufacturer", blank("the manufacturer")),
            ("Lot or serial number, date of manufacture", blank("the manufacturer")),
            ("Storage", blank("the manufacturer")),
            ("Sterility and method", "delivered non-sterile unless stated otherwise; verify locally"),
            (
                "Words and symbols (ISO 15223-1)",
                "custom-made device, medical device, single use, warnings; verify locally",
            ),
            ("Instructions for use, steam instructions", blank("the manufacturer")),
            ("Implant card (Art. 18)", blank("the hospital")),
        )
    )
    return facts


def statement(dossier: Dossier) -> Html:
    """Section 14: the statement of MDR Annex XIII §1 with its blanks, and what forbids signing it."""
    plan = dossier.plan
    screws = ", ".join(f"{s.level} {s.type.name} {number(s.length_mm)} mm" for s in plan.screws) or "none"
    characteristics = (
        f"{plan.upper} to {plan.lower}, section {number(plan.section.width_mm)} × {number(plan.section.depth_mm)} mm, "
        f"{plan.material.name}; screws: {screws}"
    )
    facts = pairs(
        (
            ("Manufacturer and all sites", blank("the manufacturer")),
            ("Authorised representative", blank("the manufacturer")),
            ("Device", f"spinal strut, design {dossier.design.digest[:12]}"),
            ("Exclusively for the patient", plan.case_code),
            ("Prescriber and institution", blank("the prescriber")),
            ("Specific characteristics from the prescription", characteristics),
            ("Conforms with Annex I; requirements not fully met, with grounds", blank("regulatory affairs")),
            ("Medicinal substances or tissues", blank("the manufacturer")),
            ("Place, date, name, signature", blank("the manufacturer")),
        )
    )
    reasons = blocking_reasons(dossier.findings)
    stop = tag("p", tag("b", f"{MARK}: this statement must not be signed while findings forbid it.", "v-fail"))
    keep = tag("p", "Kept for 15 years for an implant (Annex XIII §4).", "soft")
    return joined((stop if reasons else "", facts, keep))


def surveillance(dossier: Dossier) -> Html:
    """Section 15: what is followed after the operation."""
    del dossier  # the same questions for every device
    topics = ("Imaging schedule", "Subsidence, fracture, loosening", "Neurology, swallowing", "Reporting of incidents")
    note = tag("p", "Experience after production is reviewed and documented (MDR Annex XIII §5).", "soft")
    return joined((note, table(("Topic", "Plan"), [(t, blank("the surgeon and the manufacturer")) for t in topics])))


def _asked(topics: Iterable[str], who: str) -> Html:
    return pairs((topic, blank(who)) for topic in topics)
