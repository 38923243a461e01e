"""The page to look at first: pictures, sizes, screws, distances, strength, and every finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..build.design import Design, Implant
from ..case.model import Case
from ..plan.plan import Plan
from ..verify.finding import Finding
from .images import Picture
from .page import (
    SENTENCE,
    Html,
    banner,
    figure,
    findings_table,
    heading,
    joined,
    listed,
    measured,
    page,
    pairs,
    table,
    tag,
    text,
)
from .records import number
from .tables import (
    Dossier,
    distances_table,
    implants_table,
    parts_table,
    prefix_of,
    screws_table,
    strength_tables,
)


def summary_page(dossier: Dossier, folder: Path, pictures: Sequence[Picture]) -> str:
    """summary.html; pictures lie in folder, and are embedded."""
    case, plan, design, findings, found = dossier.case, dossier.plan, dossier.design, dossier.findings, dossier.by_id
    parts = (
        _title(dossier),
        banner(findings),
        _waivers(plan),
        _pictures(dossier, folder, pictures),
        heading("Implant and variants", "implants"),
        implants_table(plan, design, found),
        _shape(plan),
        heading("Screws", "screws"),
        tag("p", "Planned for the nominal implant, distances as measured. Verify against the hospital's set.", "soft"),
        screws_table(design.implants[0], found),
        heading("Distances to structures", "distances"),
        tag("p", _distance_words(plan), "soft"),
        distances_table(case, design, found),
        heading("Strength by beam theory", "strength"),
        tag("p", _strength_words(plan), "soft"),
        strength_tables(dossier.loads),
        heading("Porous interface as made", "interface"),
        _interface(dossier),
        heading("Fit on the endplates", "fit"),
        _per_foot(dossier, "fit", _FIT),
        heading("Scan and labels", "scan"),
        _scan(case),
        heading("Files", "files"),
        tag("p", "STL files are in LPS millimetres, as DICOM is: right and anterior are negative there.", "soft"),
        parts_table(design),
        heading("All findings", "findings"),
        tag("p", _FINDING_WORDS, "soft"),
        _all_findings(design, findings),
    )
    return page(f"{plan.case_code}: strut {plan.upper} to {plan.lower}", joined(parts))


def _title(dossier: Dossier) -> Html:
    case, plan, versions = dossier.case, dossier.plan, dossier.design.versions
    version = versions.get("spinal-strut-designer", "unknown")
    facts = pairs(
        (
            ("Case", plan.case_code),
            ("Scan", f"{case.name}, {' × '.join(number(x) for x in case.ct.spacing)} mm"),
            ("Docking", f"{plan.upper} inferior endplate to {plan.lower} superior endplate"),
            ("Preset", plan.preset),
            ("Program", f"SpinalStrutDesigner {version}, algorithm {versions.get('algorithm', 'unknown')}"),
            ("Digest of all inputs", Html(f"<code>{text(dossier.design.digest)}</code>")),
        )
    )
    title = tag("h1", f"{plan.case_code}: spinal strut, {plan.upper} to {plan.lower}")
    return tag("header", joined((title, tag("small", SENTENCE), facts)))


def _waivers(plan: Plan) -> Html:
    if not plan.waivers:
        return Html("")
    return joined((tag("h3", "Waived by name"), listed(f"{w.finding}: {w.name}: {w.reason}" for w in plan.waivers)))


def _pictures(dossier: Dossier, folder: Path, pictures: Sequence[Picture]) -> Html:
    """The spine from three sides with the key figures beside them, the sections, then the close-ups."""
    spine = [p for p in pictures if p.file in ("anterior.png", "lateral.png", "oblique.png")]
    cut = [p for p in pictures if p.file.startswith("section")]
    rest = [p for p in pictures if p not in spine and p not in cut]
    cells = [figure(folder / p.file, p.title, p.caption) for p in spine]
    cells.append(_key_figures(dossier))
    cells += [figure(folder / p.file, p.title, p.caption) for p in cut]
    cells += [figure(folder / p.file, p.title, p.caption, "wide") for p in rest]
    return tag("div", joined(cells), "grid")


def _key_figures(dossier: Dossier) -> Html:
    """What a reader asks first, each in its verdict's colour, measured on the nominal implant."""
    loads = dossier.plan.loads
    ids = (
        ("Length over all", "size.length"),
        ("Mid section", "size.section"),
        ("Mass", "size.mass"),
        (f"Factor against yield at {number(loads.axial_N)} N", "strength.axial"),
        (f"… at the envelope load, {number(loads.envelope_N)} N", "strength.envelope"),
        ("Strut against a 5.5 mm rod, axial", "strength.axial.rod"),
        (f"Pressure at {number(loads.axial_N)} N, upper endplate", "fit.upper.pressure"),
        ("… lower endplate", "fit.lower.pressure"),
        ("Porosity, upper foot", "porous.upper.porosity"),
        ("… lower foot", "porous.lower.porosity"),
        ("Mean pore, upper foot", "porous.upper.pore"),
        ("… lower foot", "porous.lower.pore"),
    )
    rows: list[tuple[object, object]] = [(name, measured(dossier.by_id.get(key))) for name, key in ids]
    screws = [f"{s.level}: Ø {number(s.type.diameter_mm)} × {number(s.length_mm)} mm" for s in dossier.plan.screws]
    rows.append(("Screws", listed(screws) or "none"))
    variants = [f"+{number(v.amount_mm)} mm" for v in dossier.plan.variants]
    rows.append(("Variants", listed(variants) or "none"))
    counts: list[object] = []
    for verdict in ("fail", "not_evaluated", "warn", "waived", "pass"):
        of_it = [f for f in dossier.findings if f.verdict == verdict]
        if of_it:
            counts.append(Html(f"{len(of_it)} {tag('span', verdict.replace('_', ' '), f'tag {verdict}')}"))
    rows.append(("Findings", joined(counts)))
    return tag("div", joined((tag("h3", "Key figures, nominal implant"), pairs(rows))), "facts")


def _shape(plan: Plan) -> Html:
    section = plan.section
    size = f"{number(section.width_mm)} × {number(section.depth_mm)} mm"
    if section.lower_width_mm is not None or section.lower_depth_mm is not None:
        width, depth = section.lower_width_mm or section.width_mm, section.lower_depth_mm or section.depth_mm
        size += f", {number(width)} × {number(depth)} mm at the lower end"
    feet = [f"{number(f.height_mm)} mm high, fit gap {number(f.fit_gap_mm)} mm, from the {f.approach} side"
            for f in (plan.upper_foot, plan.lower_foot)]  # fmt: skip
    return pairs(
        (
            ("Section as planned", f"{section.shape.replace('_', ' ')}, {size}"),
            ("Upper foot as planned", feet[0]),
            ("Lower foot as planned", feet[1]),
            ("Material", f"{plan.material.name} ({plan.material.source or 'no source given: verify locally'})"),
        )
    )


def _distance_words(plan: Plan) -> str:
    return (
        f"Least distance from the finished mesh; each rule is held after an error budget of "
        f"{number(plan.budget.segmentation_to_print_mm)} mm for segmentation to print. A structure that may move is "
        "judged by how far it is pushed at rest."
    )


def _strength_words(plan: Plan) -> str:
    m = plan.material
    return (
        f"Sections measured on the finished nominal mesh, porous zones carrying nothing; yield {number(m.yield_MPa)} "
        f"MPa, elastic modulus {number(m.elastic_modulus_MPa / 1000.0)} GPa. Ratios compare the strut with a 5.5 mm "
        "titanium rod on the same axis, for each load case by itself. Finite elements and a bench test are still to "
        "come."
    )


_FINDING_WORDS = (
    "Pass: the limit holds. Warn: a person has to judge it. Fail: it forbids manufacture unless it is waived by name. "
    "Not evaluated is never a pass, and forbids manufacture where the structure is critical. Places are in RAS "
    "millimetres in the CT's frame: R grows to the patient's right, A to the front, S to the head."
)
_POROUS = {
    "porosity": ">Porosity",
    "pore": ">Mean pore",
    "strut": ">Thinnest struts",
    "depth": ">Depth",
    "comparator": ">Beside 21 CFR 888.3358",
}
_FIT = {
    "gap": ">Mean gap",
    "contact": ">Contact",
    "centre": ">Centre of pressure off",
    "pressure": ">Pressure",
    "pressure_envelope": ">At envelope load",
    "lost": ">Contact lost to undercuts",
}


def _interface(dossier: Dossier) -> Html:
    i = dossier.plan.interface
    asked = (
        f"Asked for: {i.cell.replace('_', ' ')}, {number(100 * i.porosity)} % porosity, pores {number(i.pore_um)} µm, "
        f"{number(i.depth_mm)} mm deep, solid frame {number(i.frame_mm)} mm, solid behind it at least "
        f"{number(i.minimum_solid_mm)} mm. 21 CFR 888.3358 is a rule for hip cups: a comparator, not a limit."
    )
    return joined((tag("p", asked, "soft"), _per_foot(dossier, "porous", _POROUS)))


def _per_foot(dossier: Dossier, kind: str, columns: Mapping[str, str]) -> Html:
    """A row for each foot of each implant; columns: the last word of the findings' ids, and the column's name."""
    rows = []
    for implant in dossier.design.implants:
        for foot in implant.feet:
            start = f"{prefix_of(implant)}{kind}.{foot.end}."
            cells = [measured(dossier.by_id.get(start + key)) for key in columns]
            rows.append((f"{implant.part.name}, {foot.end} ({foot.endplate.level})", *cells))
    return table(("Foot", *columns.values()), rows)


def _scan(case: Case) -> Html:
    quality = case.quality
    rows = [
        ("Voxels", " × ".join(number(x) for x in quality.spacing_mm) + " mm"),
        ("Slice thickness", f"{number(quality.slice_thickness_mm)} mm"),
        ("Levels labelled", ", ".join(case.levels) or "none"),
        ("Names with no known meaning", ", ".join(case.unknown) or "none"),
    ]
    return joined((pairs(rows), listed(quality.notes)))


def _all_findings(design: Design, findings: Sequence[Finding]) -> Html:
    """The nominal implant's findings, then each variant's."""
    prefixes = [prefix_of(implant) for implant in design.implants]
    parts: list[Html] = []
    for implant, prefix in zip(design.implants, prefixes):
        own = [f for f in findings if _belongs(f, prefix, prefixes)]
        parts += [heading(_name(implant), f"findings-{implant.part.name}", 3), findings_table(own)]
    return joined(parts)


def _belongs(finding: Finding, prefix: str, prefixes: Sequence[str]) -> bool:
    if prefix:
        return finding.id.startswith(prefix)
    return not any(p and finding.id.startswith(p) for p in prefixes)


def _name(implant: Implant) -> str:
    amount = implant.situation.amount_mm
    return f"{implant.part.name}, +{number(amount)} mm" if amount else f"{implant.part.name}, nominal"
