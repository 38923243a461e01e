"""The summary page: one self-contained HTML file with every finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..build.design import Design
from ..case.model import Case
from ..plan.plan import Plan
from ..verify.finding import Finding

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 } td, th { padding: .3rem .6rem; text-align: left }
tr { border-bottom: 1px solid #ddd } .pass { color: #1a7f37 } .warn { color: #9a6700 } .fail { color: #cf222e }
.not_evaluated { color: #8250df } .banner { background: #cf222e; color: #fff; padding: .8rem 1rem; font-weight: 600 }
"""


def summary_page(case: Case, plan: Plan, design: Design, findings: Sequence[Finding]) -> str:
    """The page as text. A design that must not be made says so first."""
    blocking = [f for f in findings if f.blocks]
    banner = f'<p class="banner">NOT FOR MANUFACTURE: {len(blocking)} findings forbid it.</p>' if blocking else ""
    parts = _table(
        ("part", "role", "material", "volume mm³", "triangles"),
        ((p.name, p.role, p.material, f"{p.mesh.volume:.0f}", str(len(p.mesh.faces))) for p in design.parts),
    )
    screws = _table(
        ("level", "type (verify against the hospital's set)", "length mm", "anti-backout"),
        ((s.level, s.type.name, f"{s.length_mm:g}", s.anti_backout) for s in plan.screws),
    )
    rows = "".join(
        f'<tr><td>{escape(f.id)}</td><td>{escape(f.title)}</td><td>{escape(_value(f))}</td><td>{escape(f.limit)}</td>'
        f'<td class="{f.verdict}">{f.verdict.replace("_", " ")}</td><td>{escape(f.basis)}</td></tr>'
        for f in findings
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(plan.case_code)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(plan.case_code)}: {plan.upper} to {plan.lower}</h1>{banner}"
        f"<p>Case {escape(case.name)}, design {design.digest[:12]}. "
        "Research software, not a certified medical device.</p>"
        f"<h2>Parts</h2>{parts}<h2>Screws</h2>{screws}<h2>Findings</h2><table><tr><th>id</th><th>what</th>"
        f"<th>measured</th><th>limit</th><th>verdict</th><th>basis</th></tr>{rows}</table></body></html>\n"
    )


def _value(finding: Finding) -> str:
    value = finding.value
    text = "not measured" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
    return f"{text} {finding.unit}".strip()


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
