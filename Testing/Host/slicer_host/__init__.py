"""A strict stand-in for the Slicer application, for tests and screenshots: Qt as PythonQt shows it, on PySide6."""
