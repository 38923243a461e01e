"""The docking endplates as markups planes to drag. They are views of what is measured and what the plan corrects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from ..build.design import End
from ..case.model import Endplate
from ..errors import PlanError
from ..plan.plan import EndplateOverride
from .belongings import Belongings
from .removal import watch_removal

ROLES: dict[End, str] = {"upper": "endplateUpper", "lower": "endplateLower"}
# A correction is of the endplate that was measured. Engineering judgement: one turned by more than a right angle's half
# looks another way, and one moved by more than its own depth is another bone's.
STEEPEST_DEG = 45.0
# Times the measured width or depth. Engineering judgement: rims that osteophytes widen or metal hides are within.
# In a slice across the plate a corner's handle leaps by hundreds of millimetres, since its width cannot be seen there.
LEAST_SIZE, LARGEST_SIZE = 0.5, 1.5
# Of a plane with no measured one beside it, mm: less than half of the smallest adult mean, more than the largest (L5,
# about 50 mm wide).
SMALLEST_MM, LARGEST_MM = 7.0, 60.0
# A drag moves by more, and numbers that went through a node's matrices differ by less: mm, and of a unit vector.
_SAME = 1e-6
_DIGITS = 6  # of a size in mm
_COLOR = (0.95, 0.60, 0.15)
_FILL = 0.25
_HANDLE_PERCENT = 1.5  # of the screen, half of Slicer's own: they lie in front of the bone that is looked at


class EndplatePlanes:
    """The planes of one case's docking endplates, shown and watched.

    on_drop(end): a plane was let go, or moved by a program; on_removed(): one was deleted. Neither is called for what
    `show` itself changes.
    """

    def __init__(self, owner: Any, on_drop: Callable[[End], None], on_removed: Callable[[], None]) -> None:
        self._owner, self._belongings = owner, Belongings(owner)
        self._on_drop, self._on_removed = on_drop, on_removed
        self._watched: list[tuple[Any, int]] = []
        self._dragging = self._showing = False

    def show(self, plates: Mapping[End, Endplate], folder: int, locked: bool) -> None:
        """Brings the planes where the endplates are, and watches them; an end without one has none."""
        self.release()
        self._showing = True
        try:
            for end, role in ROLES.items():
                if end in plates:
                    self._show(role, plates[end], folder, locked)
                else:
                    self._belongings.removed(role)
        finally:
            self._showing = False
        self._watch()

    def set_visible(self, visible: bool) -> None:
        """Shows or hides the planes."""
        for role in ROLES.values():
            node = self._belongings.get(role)
            if node is not None and node.GetDisplayNode() is not None:
                node.GetDisplayNode().SetVisibility(visible)

    def offer_handles(self, end: End | None) -> None:
        """Gives one end's plane handles to move, turn and size it, unless it is locked; the other has none."""
        for other, role in ROLES.items():
            node = self._belongings.get(role)
            if node is not None and node.GetDisplayNode() is not None:
                node.GetDisplayNode().SetHandlesInteractive(other == end and not node.GetLocked())

    def plate_of(self, end: End) -> tuple[np.ndarray, np.ndarray, tuple[float, float]] | None:
        """Where an end's plane now lies: centre (3,), normal (3,), width and depth in mm; None where there is none."""
        node = self._belongings.get(ROLES[end])
        if node is None or node.GetNumberOfControlPoints() == 0:
            return None
        # A size comes back from the node's bounds and matrix with its last bits changed.
        width, depth = (round(size, _DIGITS) for size in node.GetSizeWorld())
        return np.array(node.GetCenterWorld()), np.array(node.GetNormalWorld()), (width, depth)

    def release(self) -> None:
        """Stops watching."""
        for node, tag in self._watched:
            node.RemoveObserver(tag)
        self._watched = []
        self._dragging = False

    def _show(self, role: str, plate: Endplate, folder: int, locked: bool) -> None:
        node = self._belongings.get(role)
        if node is None:
            node = _new_plane(self._owner.GetScene())
            self._belongings.put(role, node)
        modified = node.StartModify()
        name = f"{plate.level} {plate.face} endplate"
        if node.GetName() != name:
            node.SetName(name)
        # Right-handed whichever way the plate faces; sizes are the same to both sides.
        node.SetCenterWorld(plate.centre)
        node.SetAxesWorld(np.cross(plate.anterior, plate.normal), plate.anterior, plate.normal)
        node.SetSizeWorld((plate.width_mm, plate.depth_mm))
        node.SetNthControlPointLabel(0, name)
        node.SetLocked(locked)
        node.EndModify(modified)
        put_in_folder(node, folder)

    def _watch(self) -> None:
        for end, role in ROLES.items():
            node = self._belongings.get(role)
            if node is None:
                continue
            for event, slot in (
                (node.PointStartInteractionEvent, self._start), (node.PointModifiedEvent, self._moved_of(end)),
                (node.PointEndInteractionEvent, self._dropped_of(end)),
            ):  # fmt: skip
                self._watched.append((node, node.AddObserver(event, slot)))
        self._watched.append(watch_removal(self._owner.GetScene(), self._removed))

    def _removed(self, node: Any) -> None:
        if not self._showing and any(node is self._belongings.get(role) for role in ROLES.values()):
            self._on_removed()

    def _start(self, caller: Any, event: str) -> None:
        self._dragging = True

    def _moved_of(self, end: End) -> Callable[[Any, str], None]:
        def moved(caller: Any, event: str) -> None:
            if not (self._showing or self._dragging):
                self._on_drop(end)

        return moved

    def _dropped_of(self, end: End) -> Callable[[Any, str], None]:
        def dropped(caller: Any, event: str) -> None:
            self._dragging = False
            if not self._showing:
                self._on_drop(end)

        return dropped


def override_of(
    lying: tuple[np.ndarray, np.ndarray, tuple[float, float]],
    shown: Endplate,
    measured: Endplate,
    before: EndplateOverride | None,
) -> EndplateOverride | None:
    """The correction that a plane means which lies as `plate_of` says and was shown as `shown`.

    It stays as it was before where the plane still lies there; a width or depth that was not changed stays as measured.
    Raises PlanError where it is so far off, or of so different a size, that another endplate is meant.
    """
    centre, normal, (width, depth) = lying
    still = np.abs(centre - shown.centre).max() < _SAME and np.abs(normal - shown.normal).max() < _SAME
    wider, deeper = abs(width - shown.width_mm) >= _SAME, abs(depth - shown.depth_mm) >= _SAME
    if still and not wider and not deeper:
        return before
    _check_near(centre, normal, measured)
    _check_size(width, depth, measured)
    return EndplateOverride(
        level=shown.level,
        face=shown.face,
        centre=_vec(centre),
        normal=_vec(normal),
        width_mm=float(width) if wider else before.width_mm if before else None,
        depth_mm=float(depth) if deeper else before.depth_mm if before else None,
    )


def set_by_hand(
    lying: tuple[np.ndarray, np.ndarray, tuple[float, float]], shown: Endplate, before: EndplateOverride
) -> EndplateOverride:
    """The plane that is set by hand, where it now lies as `plate_of` says; as it was before where it still lies there.

    Raises PlanError for a size that no endplate has.
    """
    centre, normal, (width, depth) = lying
    apart = [*np.abs(centre - shown.centre), *np.abs(normal - shown.normal), abs(width - shown.width_mm),
             abs(depth - shown.depth_mm)]  # fmt: skip
    if max(apart) < _SAME:
        return before
    for word, size in (("wide", width), ("deep", depth)):
        if not SMALLEST_MM <= size <= LARGEST_MM:
            raise PlanError(
                f"corrections.endplates: the {shown.face} endplate of {shown.level} would be {size:.0f} mm {word}; "
                f"make it {SMALLEST_MM:g} to {LARGEST_MM:g} mm, in a slice along it"
            )
    return EndplateOverride(shown.level, shown.face, _vec(centre), _vec(normal), float(width), float(depth))


def turned_deg(normal: np.ndarray, measured: Endplate) -> float:
    """Degrees by which a normal is turned from the measured one."""
    return float(np.degrees(np.arccos(np.clip(normal @ measured.normal, -1.0, 1.0))))


def _check_near(centre: np.ndarray, normal: np.ndarray, measured: Endplate) -> None:
    name = f"the {measured.face} endplate of {measured.level}"
    turned, apart = turned_deg(normal, measured), float(np.linalg.norm(centre - measured.centre))
    if turned > STEEPEST_DEG:
        raise PlanError(
            f"corrections.endplates: {name} would be turned by {turned:.0f}° from the measured one; turn it by "
            f"{STEEPEST_DEG:g}° at most, or correct the segmentation"
        )
    if apart > measured.depth_mm:
        raise PlanError(
            f"corrections.endplates: {name} would lie {apart:.0f} mm from the measured one; move it by its depth, "
            f"{measured.depth_mm:.0f} mm, at most, or choose another docking level"
        )


def _check_size(width: float, depth: float, measured: Endplate) -> None:
    for word, size, was in (("wide", width, measured.width_mm), ("deep", depth, measured.depth_mm)):
        if not LEAST_SIZE * was <= size <= LARGEST_SIZE * was:
            raise PlanError(
                f"corrections.endplates: the {measured.face} endplate of {measured.level} would be {size:.0f} mm {word}"
                f" and was measured as {was:.0f} mm; make it {LEAST_SIZE * was:.0f} to {LARGEST_SIZE * was:.0f} mm, in "
                "the 3D view or a slice along the plate, or correct the segmentation"
            )


def _new_plane(scene: Any) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsPlaneNode")
    node.SetPlaneType(node.PlaneTypePointNormal)
    node.SetSizeMode(node.SizeModeAbsolute)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(False)
    display.SetFillOpacity(_FILL)
    display.SetColor(*_COLOR)
    display.SetSelectedColor(*_COLOR)
    display.SetSnapMode(display.SnapModeUnconstrained)
    display.SetOccludedVisibility(True)
    display.SetTranslationHandleVisibility(True)
    display.SetRotationHandleVisibility(True)
    display.SetScaleHandleVisibility(True)
    display.SetInteractionHandleScale(_HANDLE_PERCENT)
    return node


def _vec(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
