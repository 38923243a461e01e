"""A registration as JSON text: what a second image's place was found to be, and how well it is known."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from ..errors import CaseError
from .register import Registration, Window
from .transform import rigid


def registration_to_json(registration: Registration) -> str:
    """The registration as text that `registration_from_json` reads back to the same numbers."""
    return json.dumps(asdict(registration), default=np.ndarray.tolist, indent=1)


def registration_from_json(text: str) -> Registration:
    """The registration in a text. Raises CaseError with the remedy where it holds none."""
    try:
        data = json.loads(text)
        windows = tuple(
            Window(w["name"], _point(w["centre"]), float(w["residual_mm"]), _point(w["shift"])) for w in data["windows"]
        )
        found = Registration(
            rigid(np.array(data["matrix"], dtype=float), "of the registration"),
            str(data["metric"]),
            float(data["error_mm"]),
            str(data["how"]),
            windows,
            float(data["backward_mm"]),
            tuple(str(note) for note in data["notes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CaseError(f"this is no registration ({error}): register the second image again") from error
    if not (np.isfinite(found.error_mm) and found.error_mm >= 0.0):
        raise CaseError(f"the registration says an error of {found.error_mm} mm: register the second image again")
    return found


def _point(values: Any) -> np.ndarray:
    return np.array(values, dtype=float).reshape(3)
