"""Reads pyproject.toml with the environment's Python, and checks a requirement.

``python -m tools.pyproject`` prints the facts as JSON. It needs pip beside it: its
copies of tomli and packaging spare the bootstrap a first installation.
"""

import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from tools.facts import RUNTIME, Facts

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib


def facts(path: Path) -> Facts:
    """Read the facts from a project's pyproject.toml."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    requirements = map(Requirement, document["project"]["dependencies"])
    runtime = next(
        requirement
        for requirement in requirements
        if canonicalize_name(requirement.name) == RUNTIME
    )
    return Facts(
        build=document["build-system"]["requires"],
        runtime=str(runtime),
        installed=met(runtime),
    )


def met(requirement: Requirement) -> bool:
    """Return whether this environment holds a version that the requirement allows."""
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return False
    return requirement.specifier.contains(installed, prereleases=True)


if __name__ == "__main__":
    print(json.dumps(facts(Path("pyproject.toml"))))
