"""The command `spinal-strut rebuild`: a plan carried over to a new CT of the same patient."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .case.model import Case
from .errors import PlanError, ReleaseError
from .plan.json import plan_from_json, plan_to_json
from .propose.rebuild import Rebuilt, rebuild


def rebuild_plan(old: Case, plan_file: str | Path, new: Case, out: str | Path) -> Rebuilt:
    """Carries the plan in a file from the old case over to the new one, and writes it to `out`.

    Raises PlanError and ReleaseError for files that cannot be read or written, CaseError as `rebuild` does.
    """
    try:
        text = Path(plan_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(
            f"the plan '{plan_file}' cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    rebuilt = rebuild(old, plan_from_json(text), new)
    try:
        Path(out).write_text(plan_to_json(rebuilt.plan), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ReleaseError(f"the plan cannot be written to '{out}': {error.strerror}") from error
    return rebuilt


def rebuild_lines(rebuilt: Rebuilt) -> Iterator[str]:
    """What changed, for people: one line each, how well the vertebrae were found first."""
    for level, block in ((rebuilt.plan.upper, rebuilt.upper), (rebuilt.plan.lower, rebuilt.lower)):
        yield f"{level} found in the new CT to {block.error_mm:.2f} mm ({block.metric}; {block.how})"
        yield from (f"  note: {note}" for note in block.notes)
    for change in rebuilt.changes:
        yield f"  {change.line}"
