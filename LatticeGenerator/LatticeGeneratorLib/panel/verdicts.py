"""Verdicts in words and colours, the same everywhere in the panel."""

from __future__ import annotations

from slicer.i18n import tr as _

VERDICT_COLORS = {
    "pass": "#2e7d32", "warn": "#e08a00", "fail": "#c62828", "not_evaluated": "#757575", "waived": "#5c6bc0",
}  # fmt: skip


# From what forbids manufacture to what is well: the order in which a person should read.
WORST_FIRST = ("fail", "not_evaluated", "warn", "waived", "pass")


def verdict_words() -> dict[str, str]:
    """A verdict's words for people."""
    return {
        "pass": _("pass"), "warn": _("warn"), "fail": _("fail"), "not_evaluated": _("not evaluated"),
        "waived": _("waived"),
    }  # fmt: skip
