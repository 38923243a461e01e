"""The panel's long jobs, such as segmenting, proposing and checking: how each starts, and what its result becomes."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from ..build.build import input_digest
from ..case.registration_json import registration_from_json
from ..case.seeds import Seed
from ..errors import CaseError, PlanError, ReleaseError
from ..plan.json import plan_from_json
from ..plan.plan import Plan
from ..propose.screw_plan import with_screws
from ..propose.screws_json import ends_from_json
from ..release.folder import checked_target, copy_release
from ..scene.case_nodes import volume_of
from ..scene.case_of import case_of
from ..scene.changes_table import show_changes
from ..scene.findings_table import findings_in, show_findings
from ..scene.job import (
    design_job,
    insert_job,
    propose_job,
    rebuild_job,
    register_job,
    report_of,
    screws_job,
    segment_job,
    spans_job,
)
from ..scene.part_nodes import keep_whole, parts_in, showing_parts
from ..scene.screw_sets import screws_digest, show_screw_sets
from ..scene.second_image import given_matrix, registered_of, second_volume, show_registration
from ..scene.seeds import needed_seeds
from ..scene.segmented import read_segmented, remove_superseded, show_segmented
from ..scene.spans_table import show_spans
from ..scene.ways_table import show_ways
from .desk import Desk
from .insertion import ways_digest, with_ways
from .later import earlier_plan
from .release import release_name
from .second import case_to_register, span_levels

if TYPE_CHECKING:
    from .panel import Panel


class Jobs:
    """Starts the panel's jobs and takes in what they made. ensure_packages(): asks for what is missing, once."""

    def __init__(self, panel: Panel, ensure_packages: Callable[[], None]) -> None:
        self._panel = panel
        self._ensure_packages = ensure_packages
        self._made: tuple[str, Path] | None = None  # the full digest of the last design that was checked, and its files

    def forget(self) -> None:
        """What was made belongs to a scene that goes."""
        self._made = None

    def segment(self) -> None:
        """Finds bone, vertebrae and what else can be told in the CT, from its seeds, in a child process."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            if desk.parameters.volume is None:
                raise CaseError(_("there is no CT to segment: choose the CT volume"))
            seeds = needed_seeds(desk.parameters.seeds)
            ct = volume_of(desk.parameters.volume)
            self._ensure_packages()
            job = segment_job(ct, seeds, panel.work.workspace())

            def done(output: Path) -> None:
                if self._still(desk):
                    panel.work.take_in(self._taken(desk, output, tuple(seeds.items())), panel.refresh)

            panel.work.start(job, _("Segmenting the CT"), done, self._fault)

    def register(self) -> None:
        """Registers the second image to the CT, or judges the chosen transform, in a child process."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            parameters, case = desk.parameters, case_to_register(desk)
            second, given = second_volume(parameters), given_matrix(parameters)
            levels = span_levels(case, desk.plan) if parameters.secondBySpan else ()
            self._ensure_packages()
            job = register_job(case, second, given, levels, panel.work.workspace())
            made_of = registered_of(case.ct, second, given)

            def done(output: Path) -> None:
                with panel.told():
                    if self._still(desk):
                        found = registration_from_json(output.read_text(encoding="utf-8"))
                        show_registration(parameters, found, made_of, desk.folder)
                        logging.info(f"Second image registered, known to {found.error_mm:.2f} mm")
                        panel.refresh()

            panel.work.start(job, _("Registering the second image"), done, self._fault)

    def rebuild(self) -> None:
        """Carries the earlier case's plan over to this one's CT, with a report, in a child process."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            earlier = type(desk.parameters)(desk.parameters.earlier)
            plan, case = earlier_plan(desk, earlier), desk.case()
            old = case_of(earlier, plan.corrections)
            self._ensure_packages()
            job = rebuild_job(old, plan, case, panel.work.workspace())

            def done(output: Path) -> None:
                with panel.told():
                    if self._still(desk):
                        scene, parameters = desk.owner.GetScene(), desk.parameters
                        parameters.changes = show_changes(scene, report_of(output), parameters.changes)
                        parameters.plannedOn = case.digest
                        carried = plan_from_json(output.read_text(encoding="utf-8"))
                        desk.decide(carried, _("plan of the earlier CT"))

            panel.work.start(job, _("Carrying the plan over"), done, self._fault)

    def propose(self) -> None:
        """Completes the plan in a child process."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            started, case = desk.needed_plan(), desk.case()
            self._ensure_packages()
            job = propose_job(case, started, panel.work.workspace())

            def done(output: Path) -> None:
                with panel.told():
                    if self._still(desk):
                        # The case first: the plan's change shows everything.
                        desk.parameters.plannedOn = case.digest
                        plan = plan_from_json(output.read_text(encoding="utf-8"))
                        desk.decide(plan, _("proposal"))
                        panel.jump_to(plan.axis.control_points[len(plan.axis.control_points) // 2])

            panel.work.start(job, _("Proposing a plan"), done, self._fault)

    def compare_spans(self) -> None:
        """Designs from the neighbouring docking levels too, in a child process, and puts them side by side."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            case = desk.case()
            job = spans_job(case, desk.needed_plan(), panel.work.workspace())
            self._ensure_packages()

            def done(output: Path) -> None:
                with panel.told():
                    if self._still(desk):
                        scene, before = desk.owner.GetScene(), desk.parameters.spans
                        desk.parameters.spans = show_spans(scene, output, case.digest, before)
                        panel.refresh()

            panel.work.start(job, _("Comparing spans"), done, self._fault)

    def search_ways(self) -> None:
        """Searches how the plan's implants come to their place, in a child process; the plan takes what is found."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            plan, case = desk.needed_plan(), desk.case()
            self._ensure_packages()
            job = insert_job(case, plan, panel.work.workspace())
            asked = ways_digest(case, plan)

            def done(output: Path) -> None:
                with panel.told():
                    if self._still(desk):
                        if ways_digest(desk.case(), desk.needed_plan()) != asked:
                            raise PlanError(
                                _("the plan or the anatomy was changed while the ways were searched: search again")
                            )
                        found = plan_from_json(output.read_text(encoding="utf-8")).insertion.ways
                        self._searched(desk, with_ways(plan, found), output.parent)

            panel.work.start(job, _("Searching the ways in"), done, self._fault)

    def _searched(self, desk: Desk, plan: Plan, folder: Path) -> None:
        """Takes the ways of a search in, and what was measured on them."""
        desk.decide(plan, _("ways in"))
        show_ways(desk.owner, desk.folder, findings_in(folder), ways_digest(desk.case(), plan))
        logging.info(f"Ways in searched: {len(plan.insertion.ways)} found")
        self._panel.refresh()

    def plan_screws(self) -> None:
        """Plans all screws in a child process; the plan takes the best, the runners-up are kept to choose from."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            plan, case = desk.needed_plan(), desk.case()
            self._ensure_packages()
            job = screws_job(case, plan, panel.work.workspace())
            asked = input_digest(case, plan)

            def done(output: Path) -> None:
                """Takes the planned screws over where plan and case are still those asked about."""
                with panel.told():
                    if self._still(desk):
                        if input_digest(desk.case(), desk.needed_plan()) != asked:
                            raise PlanError(
                                _("the plan or the anatomy was changed while screws were planned: plan them again")
                            )
                        text = output.read_text(encoding="utf-8")
                        best = with_screws(plan, ends_from_json(text))
                        show_screw_sets(desk.owner, desk.folder, text, screws_digest(case, plan))
                        desk.decide(best, _("all screws planned"))
                        panel.refresh()

            panel.work.start(job, _("Planning the screws"), done, self._fault)

    def check(self) -> None:
        """Makes and measures the design in a child process."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            self._ensure_packages()
            workspace = panel.work.workspace()
            self._design(desk, workspace / "design", workspace, _("Checking the plan"), lambda folder: None)

    def release(self) -> None:
        """Writes the release: what was checked, if it is of this very plan, else all of it anew in a child process."""
        panel = self._panel
        with panel.told():
            desk = _needed(panel.desk)
            target = Path(desk.parameters.outputFolder) / release_name(desk.needed_plan(), datetime.date.today())
            checked_target(target)
            digest = panel.full_digest(desk)
            if self._made is not None and self._made[0] == digest and self._made[1].is_dir():
                self._released(desk, copy_release(self._made[1], target), digest)
                return
            self._ensure_packages()
            self._design(
                desk,
                target,
                panel.work.workspace(),
                _("Releasing"),
                lambda folder: self._released(desk, folder, digest),
            )

    def _design(self, desk: Desk, output: Path, workspace: Path, words: str, then: Callable[[Path], None]) -> None:
        panel = self._panel
        plan, case = desk.needed_plan(), desk.case()
        checked, full = desk.digest(), panel.full_digest(desk)
        job = design_job(case, plan, output, workspace)

        def done(folder: Path) -> None:
            def shown() -> None:
                with panel.told():
                    self._made = (full, folder)
                    self._judged(desk, folder, checked)
                    then(folder)

            if self._still(desk):
                panel.work.take_in(self._showing(desk, folder), shown)

        panel.work.start(job, words, done, self._fault)

    def _taken(self, desk: Desk, output: Path, seeds: tuple[Seed, ...]) -> Iterator[tuple[str, float]]:
        """Takes a segmentation that was made into the case, one segment a step."""
        segmentation = yield from read_segmented(output)
        node = show_segmented(desk.owner, segmentation, desk.folder, seeds)
        desk.parameters.segmentation = node
        remove_superseded(desk.owner, node)
        logging.info(f"CT segmented: {node.GetSegmentation().GetNumberOfSegments()} segments")

    def _showing(self, desk: Desk, folder: Path) -> Iterator[tuple[str, float]]:
        """Shows the parts of a finished design, one a step."""
        for number, name in enumerate(showing_parts(desk.owner, desk.folder, parts_in(folder)), start=1):
            yield _("Showing {name}").format(name=name), number / (number + 1.0)
        if desk.parameters.keepWholeMeshes:
            keep_whole(desk.owner, desk.folder, parts_in(folder))

    def _judged(self, desk: Desk, folder: Path, checked: str) -> None:
        """Takes the findings of a finished design in; from now on its implant is shown in place of the preview."""
        findings = findings_in(folder)
        desk.parameters.findings = show_findings(desk.owner.GetScene(), findings, desk.parameters.findings)
        blocking = sum(finding.blocks for finding in findings)
        logging.info(f"Strut design finished: {len(findings)} findings, {blocking} of them in the way of manufacture")
        desk.parameters.checked = checked
        self._panel.refresh()

    def _released(self, desk: Desk, folder: Path, digest: str) -> None:
        import slicer

        desk.parameters.released, desk.parameters.releasedOf = str(folder), digest
        if desk.parameters.saveScene:
            scene_file = folder.with_name(folder.name + ".mrb")
            if not slicer.util.saveScene(str(scene_file)):
                raise ReleaseError(f"the scene could not be saved to '{scene_file}'; the release itself is complete")
        self._panel.work.progress(_("Released to {folder}").format(folder=folder), 1.0)
        self._panel.refresh()

    def _still(self, desk: Desk) -> bool:
        """Whether the case of a job is still on the desk or, at least, in the scene."""
        return desk.owner.GetScene() is not None

    def _fault(self, words: str) -> None:
        self._panel.tell(words)
        logging.error(words)


def _needed(desk: Desk | None) -> Desk:
    if desk is None:
        raise ReleaseError(_("there is no case at work: choose one"))
    return desk
