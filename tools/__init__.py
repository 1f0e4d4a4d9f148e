"""What ``make`` runs: it prepares ``.venv`` and starts the project's commands.

Standard library only: nothing is installed yet when it starts.
"""

import sys

# Here, because every module below already needs the syntax of Python 3.10.
if sys.version_info < (3, 10):  # noqa: UP036  # the one place where an older one runs
    sys.exit(
        "error: jupyter-llm-ext needs Python 3.10 or newer; this one is"
        f" {sys.version.split()[0]} at {sys.executable}. Name another one,"
        " for example: PYTHON=python3.12 make lab"
    )
