"""The small folder that an inspection leaves: pictures of the case's spine, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..case.model import Case, Endplate
from .folder import INSPECTION, whole_folder, write_json, write_manifest
from .images import draw_overview, write_images
from .records import case_record


def write_inspection(case: Case, plates: Sequence[Endplate], directory: str | Path) -> Path:
    """Writes case.json and images/ for a case with the endplates found, whole or not at all; returns the folder."""
    with whole_folder(directory, INSPECTION) as folder:
        write_json(folder / "case.json", case_record(case, plates, ()))
        (folder / "images").mkdir()
        write_images(draw_overview(case, plates), folder / "images", case.name)
        write_manifest(folder, case.digest, (), INSPECTION)
    return Path(directory).absolute()
