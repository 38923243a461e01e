"""What a search for ways in found, as findings: for each implant whether it has a way, then what was measured on it."""

from __future__ import annotations

from collections.abc import Iterator

from ..build.design import Design, Situation
from ..verify.finding import Finding
from ..verify.measured import finding_in
from .insertion import REMEDY, Search, Ways

WAY = "insertion.way"
"""The id of what says whether an implant has a way; a variant's begins with its name."""
_BASIS = "searched by `spinal-strut insert`"


def ways_found(ways: Ways, measured: tuple[Finding, ...], design: Design) -> tuple[Finding, ...]:
    """The outcome of each search, and then what was measured on its way. measured: `insertion_findings`."""
    situations = {implant.situation.name: implant.situation for implant in design.implants}
    found: list[Finding] = []
    for search in ways.searches:
        outcome = _outcome(search, situations[search.name])
        prefix = outcome.id.removesuffix(WAY)
        found += [outcome, *_of_implant(prefix, measured)]
    return tuple(found)


def _outcome(search: Search, situation: Situation) -> Finding:
    title, limit = "Way of the implant to its place", "a way is found"
    if search.way is not None:
        words = f"{len(search.way.points)} waypoints"
        return finding_in(situation, WAY, title, words, "", limit, "pass", _BASIS)
    held = f"held by {', '.join(search.held_by)}" if search.held_by else "and the search was given up"
    detail = f"It came {search.come_mm:.0f} mm out of its place, {held}: {REMEDY}."
    return finding_in(situation, WAY, title, "not found", "", limit, "fail", _BASIS, detail=detail)


def _of_implant(prefix: str, measured: tuple[Finding, ...]) -> Iterator[Finding]:
    """What was measured on an implant's way; that it has none is told by its search."""
    wanted = prefix + WAY.partition(".")[0] + "."
    return (one for one in measured if one.id.startswith(wanted) and one.id != prefix + WAY)
