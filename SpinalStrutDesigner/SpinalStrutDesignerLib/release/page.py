"""The few pieces a page of the release is made of. Text is escaped on its way in; what is marked up says so by type."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from ..verify.finding import Finding
from .records import MARK, blocking_reasons, measured_text

SENTENCE = "Research software, not a certified medical device."
_LOCAL = "verify locally"
_LONGEST = 40


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


def text(value: object) -> Html:
    """Anything as HTML: escaped, unless it is HTML already; "verify locally" and [?] are shown as marks."""
    if isinstance(value, Html):
        return value
    mark = f'<span class="local">{_LOCAL}</span>'
    return Html(escape(str(value)).replace("[?]", mark).replace(_LOCAL, mark))


def joined(parts: Iterable[object]) -> Html:
    """Pieces one after the other."""
    return Html("\n".join(text(part) for part in parts))


def tag(name: str, content: object, kind: str = "") -> Html:
    """An element with one class."""
    attribute = f' class="{escape(kind)}"' if kind else ""
    return Html(f"<{name}{attribute}>{text(content)}</{name}>")


def heading(title: str, anchor: str, level: int = 2) -> Html:
    """A heading that can be linked to."""
    return Html(f'<h{level} id="{escape(anchor)}">{text(title)}</h{level}>')


def listed(items: Iterable[object]) -> Html:
    """A bulleted list; nothing where there are no items."""
    rows = [tag("li", item) for item in items]
    return tag("ul", joined(rows)) if rows else Html("")


def pairs(rows: Iterable[tuple[object, object]]) -> Html:
    """Names with their values."""
    return tag("dl", joined(Html(tag("dt", name) + tag("dd", value)) for name, value in rows))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table; a column whose name starts with ">" holds numbers and is set to the right."""
    kinds = ["n" if c.startswith(">") else "" for c in columns]
    head = joined(tag("th", c.lstrip(">"), kind) for c, kind in zip(columns, kinds))
    body = [tag("tr", joined(tag("td", cell, kind) for cell, kind in zip(row, kinds))) for row in rows]
    if not body:
        body = [Html(f'<tr><td colspan="{len(columns)}" class="soft">none</td></tr>')]
    return Html(f"<table><thead><tr>{head}</tr></thead><tbody>\n{joined(body)}\n</tbody></table>")


def blank(who: str) -> Html:
    """A place that only a person can fill."""
    return Html(f'<span class="blank">to be completed by {escape(who)}</span>')


def verdict_tag(finding: Finding) -> Html:
    """A finding's verdict in its colour; a critical one that was not evaluated says that it blocks."""
    words = finding.verdict.replace("_", " ")
    if finding.verdict == "not_evaluated" and finding.critical:
        words += " · blocks"
    return tag("span", words, f"tag {finding.verdict}")


def measured(finding: Finding | None) -> Html:
    """A finding's value in its verdict's colour; a dash where there is no such finding."""
    if finding is None:
        return text("–")
    return tag("span", measured_text(finding), f"v-{finding.verdict}")


def findings_table(findings: Iterable[Finding]) -> Html:
    """Every word of the findings."""
    rows = []
    for f in findings:
        title = Html(f"{text(f.title)}<br><code>{text(f.id)}</code>")
        limit = Html(f'{text(f.limit)}<br><span class="soft">{text(f.basis)}</span>')
        place = "" if f.location is None else "At R {:.1f}, A {:.1f}, S {:.1f} mm (RAS).".format(*f.location)
        value, detail = measured(f), joined((f.detail, tag("span", place, "soft")))
        if isinstance(f.value, str) and len(f.value) > _LONGEST:
            value, detail = text("see detail"), joined((value, detail))
        rows.append((title, value, verdict_tag(f), limit, detail))
    return tag(
        "div", table(("Finding", "Measured", "Verdict", "Limit and basis", "Detail and place"), rows), "findings"
    )


def banner(findings: Sequence[Finding]) -> Html:
    """Whether this design may go on, and why not."""
    reasons = blocking_reasons(findings)
    if reasons:
        return _banner("blocked", MARK, joined((tag("p", "What forbids it:"), listed(reasons))))
    counts = {v: sum(f.verdict == v for f in findings) for v in ("pass", "warn", "not_evaluated", "waived")}
    words = ", ".join(f"{n} {v.replace('_', ' ')}" for v, n in counts.items() if n)
    rest = tag("p", f"Findings: {words or 'none'}. Approval by the surgeon and the manufacturer is still to be given.")
    clear = counts["pass"] == len(findings) and findings
    return _banner("clear" if clear else "open", "No finding forbids manufacture", rest)


def figure(path: Path, title: str, caption: str, kind: str = "") -> Html:
    """A picture, embedded so that the page is one file."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    source = f"data:image/png;base64,{data}"
    attribute = f' class="{escape(kind)}"' if kind else ""
    return Html(
        f'<figure{attribute}><img src="{source}" alt="{escape(title)}">'
        f"<figcaption><b>{text(title)}.</b> {text(caption)}</figcaption></figure>"
    )


def page(title: str, content: object) -> str:
    """A whole HTML document with its style inside."""
    style = files(__package__).joinpath("page.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{text(content)}\n"
        f"<footer>{SENTENCE}</footer>\n</body>\n</html>\n"
    )


def _banner(kind: str, headline: str, rest: object) -> Html:
    return Html(f'<div class="banner {kind}" role="alert"><strong>{text(headline)}</strong>{text(rest)}</div>')
