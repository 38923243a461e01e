"""The Lattice Generator module: a closed surface filled with a printable lattice of chosen porosity and pore size."""

import logging
import sys
from typing import Annotated

import slicer
from slicer import vtkMRMLModelNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class LatticeGenerator(ScriptedLoadableModule):
    """What Slicer shows of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Lattice Generator")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = []
        self.parent.contributors = ["The SpinalStrutDesigner contributors"]
        self.parent.helpText = _(
            "Fills a closed surface with a printable lattice of chosen porosity and pore size. "
            "Research software, not a certified medical device."
        )
        self.parent.acknowledgementText = ""


@parameterNodeWrapper
class LatticeGeneratorParameterNode:
    """The choices of the panel.

    domain: the closed surface to fill. lattice: the model that shows the lattice. cell: the unit cell.
    porosity: percent of void. poreSize: mean local thickness of the void, µm.
    """

    domain: vtkMRMLModelNode
    lattice: vtkMRMLModelNode
    cell: Annotated[str, Choice(["gyroid_skeletal", "bcc"]), Default("gyroid_skeletal")]
    porosity: Annotated[float, WithinRange(30.0, 90.0)] = 70.0
    poreSize: Annotated[float, WithinRange(100.0, 2000.0)] = 550.0


class LatticeGeneratorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: hands over to the logic and shows what comes back."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/LatticeGenerator.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = LatticeGeneratorLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.domainSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onDomainChanged)
        self.ui.fillButton.connect("clicked(bool)", self.onFill)
        self.initializeParameterNode()

    def cleanup(self):
        """The application closes."""
        self.removeObservers()

    def enter(self):
        """The module is opened."""
        self.initializeParameterNode()

    def exit(self):
        """Another module is opened."""
        self.setParameterNode(None)

    def onReload(self):
        """Forget the package too, so that its classes are those of the new code."""
        for name in [n for n in sys.modules if n.split(".")[0] == "LatticeGeneratorLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """The nodes go."""
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """A new scene has come."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Show the scene's choices."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode):
        """Bind the panel to a parameter node, or to none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self._checkCanFill(self._parameterNode.domain)

    def onDomainChanged(self, node):
        """A person chose the surface to fill."""
        self._checkCanFill(node)

    def _checkCanFill(self, domain):
        self.ui.fillButton.enabled = domain is not None
        self.ui.fillButton.toolTip = _("Fill the surface.") if domain else _("Choose a closed surface to fill.")

    def onFill(self, checked):
        """Make the lattice."""
        with slicer.util.tryWithErrorDisplay(_("The lattice could not be made."), waitCursor=True):
            from LatticeGeneratorLib.panel.packages import ensure_packages

            ensure_packages(self.resourcePath("requirements.txt"), self.parent.title)
            self.ui.resultLabel.text = self.logic.fillDomain(self._parameterNode)


class LatticeGeneratorLogic(ScriptedLoadableModuleLogic):
    """The module's work without the panel."""

    def getParameterNode(self):
        """The scene's choices."""
        return LatticeGeneratorParameterNode(super().getParameterNode())

    def fillDomain(self, parameters):
        """Fill the chosen surface and show the lattice; returns a line about it. Raises ValueError with the remedy."""
        from LatticeGeneratorLib.infill.spec import LatticeSpec
        from LatticeGeneratorLib.scene.fill_node import fill_node

        if not parameters.domain:
            raise ValueError(_("Choose a closed surface to fill."))
        spec = LatticeSpec(parameters.cell, parameters.porosity / 100.0, parameters.poreSize / 1000.0)
        parameters.lattice, lattice = fill_node(slicer.mrmlScene, parameters.domain, spec, parameters.lattice)
        logging.info(f"Lattice of {lattice.cell_mm:.2f} mm cells, porosity {100 * lattice.porosity:.1f} %")
        return _("Cells of {cell:.2f} mm, porosity {porosity:.1f} % as made.").format(
            cell=lattice.cell_mm, porosity=100 * lattice.porosity
        )


class LatticeGeneratorTest(ScriptedLoadableModuleTest):
    """Runs in the application and in a headless host alike."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Every test of the module."""
        self.setUp()
        self.test_nothingChosenIsSaid()

    def test_nothingChosenIsSaid(self):
        """The logic refuses to fill nothing."""
        logic = LatticeGeneratorLogic()
        with self.assertRaises(ValueError):
            logic.fillDomain(logic.getParameterNode())
