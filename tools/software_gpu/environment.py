"""Where the build is, and what a program needs to use it."""

import os
from collections.abc import Mapping

from tools.console import ROOT

FOLDER = ROOT / "build" / "software-gpu"
PACKAGES = FOLDER / "site"
LIBRARY = FOLDER / "libmissing.so"


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a program that is to use the build."""
    paths = [str(PACKAGES), environ.get("PYTHONPATH", "")]
    return {
        **environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "LD_PRELOAD": str(LIBRARY),
        # llama.cpp leaves devices alone that are software, unless they are named.
        "GGML_VK_VISIBLE_DEVICES": "0",
    }
