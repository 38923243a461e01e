"""The table of screws: what each is, what was measured on it as planned, and how that is graded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from LatticeGeneratorLib.panel.steps import Steps
from LatticeGeneratorLib.panel.tables import cell, dress_table, fill_choices, fill_row
from LatticeGeneratorLib.panel.verdicts import VERDICT_COLORS, verdict_words
from slicer.i18n import tr as _

from ..build.design import Situation
from ..plan.plan import Plan, Screw
from ..verify.finding import Finding
from ..verify.planned_screws import grade_of, planned_screw

_LENGTH = 3  # the column with the choice of made lengths
_UNKNOWN = "—"


class ScrewTable:
    """Rows by screw, in the plan's order. on_length(number, mm): a person chose another made length; on_measured():
    screws of the plan were measured that had not been; on_fault(sentence): one could not be."""

    def __init__(
        self,
        table: Any,
        on_length: Callable[[int, float], None],
        on_measured: Callable[[], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self._table, self._on_length, self._on_measured = table, on_length, on_measured
        self._steps = Steps(lambda words, fraction: None, on_fault)
        self._shown: tuple[Any, ...] = ()
        self._plan: Plan | None = None
        self._case: Any = None
        self._found: dict[Any, tuple[Finding, ...]] = {}
        dress_table(table, 6)
        for column, words in enumerate(column_tips()):
            table.horizontalHeaderItem(column).setToolTip(words)

    @property
    def busy(self) -> bool:
        """Whether screws are still being measured."""
        return self._steps.busy

    def findings(self, number: int) -> tuple[Finding, ...]:
        """What was measured on a screw of the plan that is shown, numbered from 0; none where nothing was."""
        return self._found.get(_key(self._plan, number), ()) if self._plan is not None else ()

    def show(self, plan: Plan | None, situation: Situation | None, free: bool) -> None:
        """Shows a plan's screws. situation: the plan's, None where it is not known yet; free: lengths may be chosen."""
        self._plan = plan
        if situation is not None and situation.case is not self._case:
            self._case, self._found = situation.case, {}
        screws = plan.screws if plan is not None else ()
        known = tuple(self.findings(number) for number in range(len(screws)))
        if (screws, known, free) != self._shown:
            self._shown = (screws, known, free)
            self._table.setRowCount(len(screws))
            for number, screw in enumerate(screws):
                self._fill(number, screw, known[number])
                self._offer_lengths(number, screw, free)
        missing = [number for number, found in enumerate(known) if not found]
        if situation is not None and missing:
            self._steps.run(self._measured(situation, missing), self._on_measured)

    def follow(self, situation: Situation, number: int) -> None:
        """Shows a screw of the situation's plan, numbered from 0, while it is dragged; nothing is kept of it."""
        self._shown = ()
        self._fill(number, situation.plan.screws[number], planned_screw(situation, number + 1))

    def stop(self) -> None:
        """The case leaves the desk."""
        self._steps.stop()
        self._plan, self._case, self._found, self._shown = None, None, {}, ()

    def _measured(self, situation: Situation, numbers: Sequence[int]) -> Iterator[tuple[str, float]]:
        for done, number in enumerate(numbers):
            yield _("screws"), done / len(numbers)
            self._found[_key(situation.plan, number)] = planned_screw(situation, number + 1)

    def _fill(self, number: int, screw: Screw, found: tuple[Finding, ...]) -> None:
        grade = grade_of(found)
        texts = [
            verdict_words()[grade], screw.level, f"{screw.type.diameter_mm:g}", "", _measure(found, "pullout"),
            _measure(found, "density"), nearest_words(screw, found), _measure(found, "breach.canal"),
            _("yes") if screw.locked else "",
        ]  # fmt: skip
        fill_row(self._table, number, texts, VERDICT_COLORS[grade])
        tip = told(found)
        for column in (0, 4, 5, 6, 7):
            self._table.item(number, column).setToolTip(tip)
        self._table.item(number, 2).setToolTip(screw.type.name)
        self._table.item(number, _LENGTH).setToolTip(_detail(found, "length"))

    def _offer_lengths(self, number: int, screw: Screw, free: bool) -> None:
        box = cell(self._table, number, _LENGTH)
        lengths = [(f"{length:g}", f"{length:g}") for length in screw.type.lengths_mm]
        fill_choices(box, lengths, f"{screw.length_mm:g}")
        box.enabled = free and not screw.locked

        def chosen(index: int) -> None:
            self._on_length(number, float(box.itemData(index)))

        box.connect("activated(int)", chosen)


def column_tips() -> tuple[str, ...]:
    """What each column tells, in its order."""
    return (
        _("The worst of what was measured on the screw as planned, at the placement error."),
        _("The vertebra."), _("Diameter of the thread, mm."), _("Length from the top of the head to the tip, mm."),
        _("Force that pulls it out, N, by the bone that the CT shows."), _("Mean HU round the thread."),
        _("The wall, endplate, structure or screw that the thread comes nearest to as planned, and how near, mm."),
        _("How likely it reaches the spinal canal at the placement error, per cent."), _("Whether it is locked."),
    )  # fmt: skip


def nearest_words(screw: Screw, found: Sequence[Finding]) -> str:
    """What a screw comes nearest to as planned, and how near, "side 1.0" (mm); a bicortical tip is meant to.

    upper, lower: its endplates; side, far: its walls.
    """
    names = {
        "canal": _("canal"), "organs": _("organ"), "superior": _("upper"), "inferior": _("lower"), "wall": _("side"),
        "tip": _("far"), "metal": _("metal"),
    }  # fmt: skip
    near: list[tuple[float, str]] = []
    for finding in found:
        key = _key_of(finding)
        if not isinstance(finding.value, float) or (key == "tip" and screw.bicortical):
            continue
        if key.startswith("to_"):
            near.append((finding.value, _("screw")))
        elif key in names:
            near.append((finding.value, names[key]))
    if not near:
        return _UNKNOWN
    value, name = min(near)
    return f"{name} {value:.1f}"


def told(found: Sequence[Finding]) -> str:
    """All findings of a screw, one a line, what is not well first."""
    if not found:
        return _("Measured where the preview is ready.")
    order = ("fail", "not_evaluated", "warn", "waived", "pass")
    words = verdict_words()
    return "\n".join(
        f"{words[f.verdict]}: {f.title.partition(': ')[2]} {_UNKNOWN if f.value is None else _value(f)} ({f.limit})"
        for f in sorted(found, key=lambda f: order.index(f.verdict))
    )


def _key(plan: Plan, number: int) -> Any:
    """What the findings of a screw hang on besides the anatomy."""
    screw = plan.screws[number]
    beside = tuple((n, other) for n, other in enumerate(plan.screws) if other.level == screw.level)
    flanges = plan.upper_flange is None, plan.lower_flange is None
    return number, beside, flanges, plan.rules, plan.screw_rules, plan.budget


def _key_of(finding: Finding) -> str:
    """What a finding is of: "canal" of "screw.1.canal"."""
    return finding.id.split(".", 2)[2]


def _measure(found: Sequence[Finding], key: str) -> str:
    finding = next((f for f in found if _key_of(f) == key), None)
    if finding is None or not isinstance(finding.value, float):
        return _UNKNOWN
    return f"{finding.value:.{_digits(finding)}f}"


def _detail(found: Sequence[Finding], key: str) -> str:
    return next((f.detail for f in found if _key_of(f) == key), "")


def _value(finding: Finding) -> str:
    if not isinstance(finding.value, float):
        return str(finding.value)
    return f"{finding.value:.{_digits(finding)}f} {finding.unit}".strip()


def _digits(finding: Finding) -> int:
    return 0 if finding.unit in ("N", "HU") else 1
