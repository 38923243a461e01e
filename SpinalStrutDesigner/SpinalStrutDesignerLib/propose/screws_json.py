"""Planned screws and their runners-up as JSON, as the command writes it and the panel reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..errors import PlanError
from ..plan.check import record_from
from ..plan.json import parsed, record_to_data
from ..plan.plan import Screw
from .screw_choice import ScrewSet
from .screw_plan import EndScrews

_PLACE = "planned screws"


def ends_to_json(ends: Iterable[EndScrews]) -> str:
    """Planned ends as JSON text."""
    data = [
        {"level": end.level, "best": _set_data(end.best), "runners_up": [_set_data(one) for one in end.runners_up]}
        for end in ends
    ]
    return json.dumps({"ends": data}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def ends_from_json(text: str) -> tuple[EndScrews, ...]:
    """The ends in a JSON text. Raises PlanError naming what is wrong with it."""
    data = parsed(text, _PLACE)
    try:
        return tuple(
            EndScrews(end["level"], _set_from(end["best"]), tuple(_set_from(one) for one in end["runners_up"]))
            for end in data["ends"]
        )
    except (KeyError, TypeError) as error:
        raise PlanError(f"{_PLACE}: {error} is missing or of a wrong kind; plan the screws again") from error


def _set_data(one: ScrewSet) -> dict[str, Any]:
    screws = [record_to_data(screw) for screw in one.screws]
    return {"pullout_N": one.pullout_N, "bindings": list(one.bindings), "screws": screws}


def _set_from(data: dict[str, Any]) -> ScrewSet:
    screws = tuple(record_from(Screw, one, f"screws.{number}") for number, one in enumerate(data["screws"]))
    return ScrewSet(screws, float(data["pullout_N"]), tuple(str(words) for words in data["bindings"]))
