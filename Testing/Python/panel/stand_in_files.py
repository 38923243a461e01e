"""Stands in for a command in tests of the panel: copies prepared files to where the command would write its own.

    stand_in_files.py FILE OPTION [FILE OPTION ...] -- command … OPTION TARGET …

Each FILE goes to what stands after OPTION in the command, whose words are written beside the first one. A command whose
words hold no such option is refused.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path


def main(words: list[str]) -> int:
    """Copies the files."""
    end = words.index("--")
    given, called = words[:end], words[end + 1 :]
    print(json.dumps({"stage": called[0], "detail": "", "fraction": 0.5}), flush=True)
    for file, option in zip(given[::2], given[1::2]):
        if option not in called:
            return 1
        shutil.copyfile(file, called[called.index(option) + 1])
    Path(given[0]).with_name("called.json").write_text(json.dumps(called), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
