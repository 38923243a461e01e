"""The module `slicer.i18n`, in the language the text is written in."""


def tr(text: str) -> str:
    """The text itself."""
    return text


def translate(context: str, text: str) -> str:
    """The text itself."""
    return text
