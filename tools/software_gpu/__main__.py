"""Builds the software GPU: ``python -m tools.software_gpu``."""

import sys

from tools import environment
from tools.console import Problem
from tools.environment import Environment

from . import build


def main() -> None:
    """Build into ``build/software-gpu``; see :func:`.build.ensure` for errors."""
    prepared = Environment()
    environment.ensure(prepared, chosen=False)
    build.ensure(prepared)


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        print(f"\nerror: {problem}", file=sys.stderr)
        sys.exit(1)
