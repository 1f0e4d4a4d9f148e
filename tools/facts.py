"""What the bootstrap needs to know of pyproject.toml.

Python 3.10 cannot read TOML by itself, so the environment's Python reads it, with the
copies of tomli and packaging that its pip carries: see ``pyproject.py``.
"""

import json
import subprocess
from typing import TypedDict

from tools.console import ROOT, Problem
from tools.environment import Environment

RUNTIME = "llama-cpp-python"


class Facts(TypedDict):
    """What pyproject.toml asks for."""

    build: list[str]  # what the project's build needs
    runtime: str  # the requirement on llama-cpp-python
    installed: bool  # whether that requirement is met


def read(environment: Environment) -> Facts:
    """Read the facts.

    Raises:
        Problem: The file cannot be read.
    """
    answer = subprocess.run(
        [environment.python, "-m", "tools.pyproject"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment.variables(),
    )
    if answer.returncode:
        raise Problem(f"pyproject.toml cannot be read:\n{answer.stderr}")
    facts: Facts = json.loads(answer.stdout)
    return facts
