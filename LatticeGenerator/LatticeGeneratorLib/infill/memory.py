"""How much memory there is."""

from __future__ import annotations

import os
import sys

_UNKNOWN = 16 * 2**30  # where the system does not say: what planning workstations have at least


def memory_bytes() -> int:
    """The computer's main memory in bytes."""
    if sys.platform == "win32":
        return _of_windows()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN


def _of_windows() -> int:
    """As GetPhysicallyInstalledSystemMemory of kernel32 says, which counts in kibibytes."""
    import ctypes

    kibibytes = ctypes.c_ulonglong()
    asked = ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory  # type: ignore[attr-defined]
    return int(kibibytes.value) * 1024 if asked(ctypes.byref(kibibytes)) else _UNKNOWN
