"""The Spinal Strut Designer module: from a CT and its segmentation in the scene to a strut, in a few choices."""

import logging
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, Default, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class SpinalStrutDesigner(ScriptedLoadableModule):
    """What Slicer shows of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Spinal Strut Designer")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = ["LatticeGenerator"]
        self.parent.contributors = ["The SpinalStrutDesigner contributors"]
        self.parent.helpText = _(
            "Designs a patient-specific titanium strut that bridges destroyed vertebrae, from a CT and its "
            "segmentation to files for printing. Research software, not a certified medical device."
        )
        self.parent.acknowledgementText = _(
            "The published cases it follows: Willemsen et al., Lancet Digital Health 2019;1:e163–71."
        )


@parameterNodeWrapper
class SpinalStrutDesignerParameterNode:
    """The choices of the panel.

    volume: the CT. segmentation: vertebrae and structures to stay clear of. upper, lower: docking levels.
    preset: whose published dimensions to start from. outputFolder: where the release goes. plan: the plan, as JSON.
    """

    volume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    findings: vtkMRMLTableNode
    upper: str = ""
    lower: str = ""
    preset: Annotated[str, Choice(["case2", "case1"]), Default("case2")]
    outputFolder: str = ""
    plan: str = ""


class SpinalStrutDesignerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: hands over to the logic and shows what comes back."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._child = None

    def setup(self):
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SpinalStrutDesigner.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SpinalStrutDesignerLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.upperLevelComboBox.connect("currentTextChanged(QString)", self.onUpperLevelChanged)
        self.ui.lowerLevelComboBox.connect("currentTextChanged(QString)", self.onLowerLevelChanged)
        self.ui.outputFolderButton.connect("directoryChanged(QString)", self.onOutputFolderChanged)
        self.ui.designButton.connect("clicked(bool)", self.onDesign)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        self.initializeParameterNode()

    def cleanup(self):
        """The application closes."""
        self.onCancel()
        self.removeObservers()

    def enter(self):
        """The module is opened."""
        self.initializeParameterNode()

    def exit(self):
        """Another module is opened."""
        self.setParameterNode(None)

    def onReload(self):
        """Forget the packages too, so that their classes are those of the new code."""
        for name in [n for n in sys.modules if n.split(".")[0] in ("SpinalStrutDesignerLib", "LatticeGeneratorLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """The work belongs to the scene that goes."""
        self.onCancel()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """A new scene has come."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Show the scene's choices; the first volume and segmentation if none was made."""
        self.setParameterNode(self.logic.getParameterNode())
        for field, className in (("volume", "vtkMRMLScalarVolumeNode"), ("segmentation", "vtkMRMLSegmentationNode")):
            if not getattr(self._parameterNode, field):
                first = slicer.mrmlScene.GetFirstNodeByClass(className)
                if first:
                    setattr(self._parameterNode, field, first)

    def setParameterNode(self, parameterNode):
        """Bind the panel to a parameter node, or to none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)
            self.updateFromParameterNode()

    def updateFromParameterNode(self, caller=None, event=None):
        """Levels of the segmentation, output folder, and what can be pressed."""
        levels = self.logic.levels(self._parameterNode.segmentation)
        for box, value in (
            (self.ui.upperLevelComboBox, self._parameterNode.upper),
            (self.ui.lowerLevelComboBox, self._parameterNode.lower),
        ):
            wasBlocked = box.blockSignals(True)
            box.clear()
            box.addItems(["", *levels])
            box.setCurrentText(value if value in levels else "")
            box.blockSignals(wasBlocked)
        if self._parameterNode.outputFolder:
            wasBlocked = self.ui.outputFolderButton.blockSignals(True)
            self.ui.outputFolderButton.directory = self._parameterNode.outputFolder
            self.ui.outputFolderButton.blockSignals(wasBlocked)
        self._checkCanDesign()

    def _checkCanDesign(self):
        missing = self.logic.missing(self._parameterNode)
        self.ui.designButton.enabled = not missing and self._child is None
        self.ui.designButton.toolTip = missing or _("Design the strut and write its release folder.")
        self.ui.cancelButton.enabled = self._child is not None

    def onUpperLevelChanged(self, level):
        """A person chose the upper docking level."""
        self._parameterNode.upper = level

    def onLowerLevelChanged(self, level):
        """A person chose the lower docking level."""
        self._parameterNode.lower = level

    def onOutputFolderChanged(self, folder):
        """A person chose where the release goes."""
        self._parameterNode.outputFolder = folder

    def onDesign(self, checked):
        """Start the design in a child process."""
        with slicer.util.tryWithErrorDisplay(_("The design could not be started."), waitCursor=True):
            from LatticeGeneratorLib.panel.packages import ensure_packages

            ensure_packages(self.resourcePath("requirements.txt"), self.parent.title)
            self._child = self.logic.startDesign(self._parameterNode, self.onProgress, self.onEnd)
        self._checkCanDesign()

    def onCancel(self, checked=None):
        """End the child process, if one runs."""
        if self._child:
            self._child.cancel()
            self._child = None
            self.ui.progressBar.value = 0
            self.ui.stageLabel.text = _("Cancelled")

    def onProgress(self, stage, fraction):
        """The child process has come further."""
        self.ui.progressBar.value = round(100 * fraction)
        self.ui.stageLabel.text = stage

    def onEnd(self, exitCode, words):
        """The child process has ended: show what it made, or why it did not."""
        self._child = None
        with slicer.util.tryWithErrorDisplay(_("The strut could not be designed."), waitCursor=True):
            self.ui.stageLabel.text = self.logic.showResult(self._parameterNode, exitCode, words)
            self.ui.progressBar.value = 100
        self._checkCanDesign()


class SpinalStrutDesignerLogic(ScriptedLoadableModuleLogic):
    """The module's work without the panel."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self._workspace = None

    def getParameterNode(self):
        """The scene's choices."""
        return SpinalStrutDesignerParameterNode(super().getParameterNode())

    def levels(self, segmentationNode):
        """The vertebrae in a segmentation, from top to bottom."""
        from SpinalStrutDesignerLib.scene.case_nodes import levels_of_segments

        return levels_of_segments(segmentationNode) if segmentationNode else ()

    def missing(self, parameters):
        """What must still be chosen, as a sentence; empty when nothing."""
        if not parameters.volume:
            return _("Choose the CT volume.")
        if not parameters.segmentation:
            return _("Choose the segmentation.")
        if not parameters.upper or not parameters.lower:
            return _("Choose the docking levels.")
        return "" if parameters.outputFolder else _("Choose the output folder.")

    def startDesign(self, parameters, onProgress, onEnd):
        """Write the case and start the child process that designs on it. Raises ValueError with the remedy."""
        from SpinalStrutDesignerLib.panel.child import Child
        from SpinalStrutDesignerLib.scene.case_nodes import case_from_nodes
        from SpinalStrutDesignerLib.scene.job import design_job

        missing = self.missing(parameters)
        if missing:
            raise ValueError(missing)
        logging.info("Strut design started")
        case = case_from_nodes(parameters.volume, parameters.segmentation)
        self._workspace = tempfile.TemporaryDirectory()
        output = Path(parameters.outputFolder) / f"strut_{parameters.upper}_{parameters.lower}"
        job = design_job(case, parameters.upper, parameters.lower, parameters.preset, output, self._workspace.name)
        return Child(job, onProgress, onEnd)

    def showResult(self, parameters, exitCode, words):
        """Show a finished release in the scene; returns one line about it. Raises RuntimeError where there is none."""
        from SpinalStrutDesignerLib.scene.findings_table import findings_in, show_findings
        from SpinalStrutDesignerLib.scene.job import WRITTEN
        from SpinalStrutDesignerLib.scene.part_nodes import parts_in, show_parts

        self._workspace = None
        if exitCode not in WRITTEN:
            raise RuntimeError(words or _("The process ended without a word."))
        name = f"strut_{parameters.upper}_{parameters.lower}"
        folder = Path(parameters.outputFolder) / name
        findings = findings_in(folder)
        show_parts(slicer.mrmlScene, parts_in(folder), name)
        parameters.findings = show_findings(slicer.mrmlScene, findings, parameters.findings)
        parameters.plan = (folder / "plan.json").read_text(encoding="utf-8")
        failed = sum(finding.blocks for finding in findings)
        logging.info(f"Strut design finished: {len(findings)} findings, {failed} of them in the way of manufacture")
        if failed:
            return _("Not for manufacture: {n} findings are in the way.").format(n=failed)
        return _("All checks hold.")


class SpinalStrutDesignerTest(ScriptedLoadableModuleTest):
    """Runs in the application and in a headless host alike."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Every test of the module."""
        self.setUp()
        self.test_missingChoicesAreNamed()

    def test_missingChoicesAreNamed(self):
        """The logic says what is still to be chosen, and refuses to start without it."""
        logic = SpinalStrutDesignerLogic()
        parameters = logic.getParameterNode()
        self.assertIn("CT", logic.missing(parameters))
        with self.assertRaises(ValueError):
            logic.startDesign(parameters, None, None)
        parameters.volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        self.assertIn("segmentation", logic.missing(parameters))
