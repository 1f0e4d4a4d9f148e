"""The IPython shell that a program runs in, if it runs in one."""

import sys
from typing import Any


def shell() -> Any:  # noqa: ANN401  # IPython's shells share no type for this
    """Return it; None in a plain program, which need not pay for loading IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
