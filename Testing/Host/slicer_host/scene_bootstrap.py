"""A MRML scene as the application holds it: application logic, a logic of every module, data exchange, hierarchy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
import vtk

from .subject_items import SubjectItems

# Application logic name -> class; the names are those under which Slicer's modules register.
MODULE_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Cameras": "vtkSlicerCamerasModuleLogic",
    "ViewControllers": "vtkSlicerViewControllersLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Models": "vtkSlicerModelsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Annotations": "vtkSlicerAnnotationModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "SceneViews": "vtkSlicerSceneViewsModuleLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
}

# Colour files and terminology tables are not part of slicer-core; these logics say so at length when they start.
_WITHOUT_FILES = ("Colors", "Terminologies")


@dataclass
class SceneParts:
    """What the application keeps alive beside its scene."""

    scene: Any
    application_logic: Any
    logics: dict[str, Any] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)


@contextmanager
def silent_vtk() -> Iterator[None]:
    """VTK and MRML say nothing on standard error in here."""
    before = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtk.vtkLogger.SetStderrVerbosity(before)


def bootstrap_scene(temporary_folder: Path) -> SceneParts:
    """A new scene, set as slicer.mrmlScene, with every module logic that slicer-core brings."""
    scene = slicer.vtkMRMLScene()
    application_logic = slicer.vtkSlicerApplicationLogic()
    application_logic.SetTemporaryPath(str(temporary_folder))
    parts = SceneParts(scene, application_logic)
    slice_logics, view_logics = vtk.vtkCollection(), vtk.vtkCollection()
    application_logic.SetSliceLogics(slice_logics)
    application_logic.SetViewLogics(view_logics)
    parts.kept += [slice_logics, view_logics]
    _set_data_exchange(parts, temporary_folder)
    scene.SetRootDirectory(str(temporary_folder))
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    application_logic.SetMRMLScene(scene)
    for name, class_name in MODULE_LOGICS.items():
        _add_logic(parts, name, class_name, temporary_folder)
    slicer.mrmlScene = scene
    parts.kept.append(SubjectItems(scene))
    return parts


def _set_data_exchange(parts: SceneParts, temporary_folder: Path) -> None:
    """Readers and writers of scenes and bundles go through these, even for local files."""
    remote = slicer.vtkMRMLRemoteIOLogic()
    cache = temporary_folder / "RemoteIO"
    cache.mkdir(exist_ok=True)
    remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
    exchange = slicer.vtkDataIOManagerLogic()
    exchange.SetMRMLApplicationLogic(parts.application_logic)
    exchange.SetAndObserveDataIOManager(remote.GetDataIOManager())
    parts.application_logic.SetMRMLSceneDataIO(parts.scene, remote, exchange)
    parts.kept += [remote, exchange]


def _add_logic(parts: SceneParts, name: str, class_name: str, folder: Path) -> None:
    logic = getattr(slicer, class_name)()
    if hasattr(logic, "SetModuleShareDirectory"):
        logic.SetModuleShareDirectory(str(folder))
    with silent_vtk() if name in _WITHOUT_FILES else _as_is():
        logic.SetMRMLApplicationLogic(parts.application_logic)
        logic.SetMRMLScene(parts.scene)
    parts.application_logic.SetModuleLogic(name, logic)
    if name == "Colors":
        parts.application_logic.SetColorLogic(logic)
    parts.logics[name.lower()] = logic


@contextmanager
def _as_is() -> Iterator[None]:
    yield


def new_temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder of this process that goes with it."""
    return tempfile.TemporaryDirectory(prefix="slicer-host-", ignore_cleanup_errors=True)
