"""Whether what is proposed can be brought to its place, by which way, and what must give way for that."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from designs import Given, cases
from row import Row, row_of
from SpinalStrutDesignerLib.build.build import build
from SpinalStrutDesignerLib.build.design import Implant
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.plan.insertion import Way
from SpinalStrutDesignerLib.plan.way import motion
from SpinalStrutDesignerLib.propose.insertion import brought_in, insertion_findings, plan_with_ways
from SpinalStrutDesignerLib.propose.propose import propose_plan
from SpinalStrutDesignerLib.verify.bone import LIMIT_MM

# The tests measure on the label map without the program.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python" / "endtoend"))
from independent import RAS_LPS, LabelMap, area_samples

_DENSE_MM, _SAMPLES = 0.5, 6000  # between poses, and points on an implant


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """For each case's nominal implant and variants: whether there is a way, and what verification says of it."""
    for given in cases(data):
        case = read_case(given.ct, given.labels, given.roles)
        plan = propose_plan(case, given.upper, given.lower, given.preset)
        design = build(case, plan)
        start = time.monotonic()
        ways = plan_with_ways(plan, design)
        yield Row(given.name, "all implants' ways are sought in", time.monotonic() - start, "s")
        for search in ways.searches:
            held = "" if search.way is not None else f": held by {', '.join(search.held_by)}"
            yield Row(given.name, f"{search.name} has a way in{held}", float(search.way is not None), "", least=1.0)
        for finding in insertion_findings(ways, design):
            if isinstance(finding.value, float):
                yield row_of(given.name, finding, finding.value)
        # A variant stands in a lengthened span, which the label map does not show.
        way = ways.plan.insertion.way(0.0)
        if way is not None and given.least_mm is not None:
            yield from _on_labels(given, brought_in(design.implants[0], ways.plan), way)


def _on_labels(given: Given, implant: Implant, way: Way) -> Iterator[Row]:
    """The least distances on a way to the label map's own voxels, as far as it reaches."""
    labels = LabelMap.read(given.labels, given.roles)
    mesh, middle, plan = implant.part.mesh, implant.situation.middle, implant.situation.plan
    points, _ = area_samples(mesh.vertices, mesh.faces, _SAMPLES)
    reach = float(np.linalg.norm(mesh.vertices - middle, axis=1).max())
    poses = motion(way.points, middle, reach, _DENSE_MM)
    swept = np.concatenate([points @ pose[:3, :3].T + pose[:3, 3] for pose in poses])
    seen = ((swept * RAS_LPS - labels.origin) @ np.linalg.inv(labels.to_lps).T)[:, ::-1]
    swept = swept[np.all((seen >= 0) & (seen <= np.array(labels.voxels.shape) - 1), axis=1)]
    budget, give = plan.budget.segmentation_to_print_mm, plan.insertion.give_mm
    fixed = ["spinal_cord", "dural_sac", "vertebral_arteries", "heart", *labels.having("metal")]
    for what, names, least in (
        ("bone", labels.having("bone"), -give - LIMIT_MM),
        ("what is not moved", [name for name in fixed if name in labels.names], budget),
    ):
        away = float(labels.distance(names, swept).min())
        yield Row(given.name, f"on the way, on the label map: to {what}", away, "mm", least - labels.half_diagonal)
