"""`slicer.qMRMLUtils`: what it is asked for by Slicer's own scripted modules."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6 import QtGui
from vtk.util.numpy_support import vtk_to_numpy


class qMRMLUtils:
    """The one function that turns a picture of VTK's into one of Qt's."""

    def vtkImageDataToQImage(self, vtkimage: Any, img: QtGui.QImage) -> bool:
        """Fill img with a picture of bytes, RGB, whose first row is the lowest; an empty one gives a null picture."""
        scalars = vtkimage.GetPointData().GetScalars() if vtkimage is not None else None
        if scalars is None:
            img.swap(QtGui.QImage())
            return True
        if scalars.GetNumberOfComponents() != 3 or scalars.GetDataTypeAsString() != "unsigned char":
            raise TypeError("the host shows pictures of three unsigned chars a pixel only")
        width, height, _depth = vtkimage.GetDimensions()
        rows = np.ascontiguousarray(vtk_to_numpy(scalars).reshape(height, 3 * width)[::-1])
        shown = QtGui.QImage(rows.tobytes(), width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
        img.swap(shown.copy())  # which owns its bytes
        return True
