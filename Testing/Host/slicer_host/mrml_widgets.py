"""The qMRML widgets that modules use most: they follow the scene as the real ones do."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets

from slicer_host import slots, strict
from slicer_host.ctk_values import ctkDoubleSpinBox, ctkSliderWidget
from slicer_host.node_combo_box import qMRMLNodeComboBox
from slicer_host.scene_watch import watch
from slicer_host.widget_class import stored, widget_class


class _MRMLWidget(QtWidgets.QWidget):
    mrmlSceneChanged = QtCore.Signal(object)
    cpp_signals = ("mrmlSceneChanged(vtkMRMLScene*)",)
    cpp_slots = ("setMRMLScene(vtkMRMLScene*)",)

    def __init__(self, parent: Any = None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._host_scene: Any = None

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._host_scene

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene; children get it through the connections of the .ui file, as in Slicer."""
        if scene is not self._host_scene:
            self._host_scene = scene
            self.mrmlSceneChanged.emit(scene)


@widget_class
class qMRMLWidget(_MRMLWidget):
    """A widget that knows the scene and says when it gets another."""


@widget_class
class qSlicerWidget(_MRMLWidget):
    """As qMRMLWidget."""


@widget_class
class qMRMLSliderWidget(ctkSliderWidget._native):
    """A slider whose unit comes from the scene in Slicer; here it keeps its own suffix."""

    cpp_slots = ("setMRMLScene(vtkMRMLScene*)",)
    quantity = stored(str, "quantity", "")

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene."""


@widget_class
class qMRMLSpinBox(ctkDoubleSpinBox._native):
    """A spin box whose unit comes from the scene in Slicer; here it keeps its own suffix."""

    cpp_slots = ("setMRMLScene(vtkMRMLScene*)",)
    quantity = stored(str, "quantity", "")

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene."""


@widget_class
class qMRMLSegmentSelectorWidget(_MRMLWidget):
    """A segmentation and one of its segments."""

    currentNodeChanged = QtCore.Signal((object,), (bool,))
    currentSegmentChanged = QtCore.Signal(str)
    cpp_signals = (
        *_MRMLWidget.cpp_signals,
        "currentNodeChanged(vtkMRMLNode*)",
        "currentNodeChanged(bool)",
    )
    cpp_slots = ("setMRMLScene(vtkMRMLScene*)", "setCurrentNode(vtkMRMLNode*)", "setCurrentSegmentID(QString)")

    def __init__(self, parent: Any = None) -> None:
        _MRMLWidget.__init__(self, parent)
        self._host_nodes = qMRMLNodeComboBox(self)
        self._host_nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._host_nodes.addEnabled = self._host_nodes.removeEnabled = False
        self._host_segments = strict.lookup("QComboBox")(self)
        self._host_observed: list[Any] = []
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._host_nodes)
        layout.addWidget(self._host_segments)
        self._host_nodes.connect("currentNodeChanged(vtkMRMLNode*)", self._follow_node)
        self._host_segments.connect("currentIndexChanged(int)", self._tell_segment)

    noneEnabled = stored(bool, "noneEnabled", False, lambda self: self._fill_segments())
    editEnabled = stored(bool, "editEnabled", False)
    multiSelection = stored(bool, "multiSelection", False)
    horizontalLayout = stored(bool, "horizontalLayout", False)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    segmentationNodeSelectorVisible = stored(
        bool,
        "segmentationNodeSelectorVisible",
        True,
        lambda self: self._host_nodes.setVisible(self.segmentationNodeSelectorVisible),
    )

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene."""
        _MRMLWidget.setMRMLScene(self, scene)
        self._host_nodes.setMRMLScene(scene)

    def currentNode(self) -> Any:
        """The segmentation node, or None."""
        return self._host_nodes.currentNode()

    def currentNodeID(self) -> str:
        """The segmentation node's ID, or an empty text."""
        return self._host_nodes.currentNodeID

    def setCurrentNode(self, node: Any) -> None:
        """Choose a segmentation node."""
        self._host_nodes.setCurrentNode(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        """Choose a segmentation node by its ID."""
        self._host_nodes.setCurrentNodeID(node_id)

    def currentSegmentID(self) -> str:
        """The segment's ID, or an empty text."""
        return self._host_segments.currentData or ""

    def segmentIDs(self) -> tuple[str, ...]:
        """The IDs of all segments."""
        return tuple(self._host_segments.itemData(i) for i in range(self._host_segments.count))

    def setCurrentSegmentID(self, segment_id: str) -> None:
        """Choose a segment."""
        self._host_segments.setCurrentIndex(self._host_segments.findData(segment_id))

    def _tell_segment(self, _index: int) -> None:
        self.currentSegmentChanged.emit(self.currentSegmentID())

    def _follow_node(self, node: Any) -> None:
        for remove in self._host_observed:
            remove()
        self._host_observed = []
        if node:
            segmentation = node.GetSegmentation()
            events = (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified)
            self._host_observed = [watch(segmentation, event, self, self._fill_segments) for event in events]
        self._fill_segments()
        slots.emit(self, "currentNodeChanged(vtkMRMLNode*)", node)
        slots.emit(self, "currentNodeChanged(bool)", node is not None)

    def _fill_segments(self) -> None:
        before = self.currentSegmentID()
        blocked = self._host_segments.blockSignals(True)
        self._host_segments.clear()
        if self.noneEnabled:
            self._host_segments.addItem("None", "")
        node = self.currentNode()
        segmentation = node.GetSegmentation() if node else None
        for index in range(segmentation.GetNumberOfSegments() if segmentation else 0):
            segment_id = segmentation.GetNthSegmentID(index)
            self._host_segments.addItem(segmentation.GetSegment(segment_id).GetName(), segment_id)
        self._host_segments.setCurrentIndex(max(self._host_segments.findData(before), 0))
        self._host_segments.blockSignals(blocked)
        if self.currentSegmentID() != before:
            self._tell_segment(0)


_WIDGETS = (
    qMRMLNodeComboBox,
    qMRMLSegmentSelectorWidget,
    qMRMLSliderWidget,
    qMRMLSpinBox,
    qMRMLWidget,
    qSlicerWidget,
)


def widgets() -> dict[str, type]:
    """The qMRML widgets by name."""
    return {widget.__name__: widget for widget in _WIDGETS}
