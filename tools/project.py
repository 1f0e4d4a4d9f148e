"""The project itself, installed from its folder with the front end that it builds."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tools import facts, node, runtime
from tools.console import ROOT, Step, latest, run
from tools.environment import Environment

BUILT = ROOT / "llm_ext" / "labextension"
_NODE_MODULES = ROOT / "labextension" / "node_modules"
# hatchling asks for it as soon as a build is editable, not in build-system.requires.
_EDITABLE = "editables>=0.3"
_MADE = {"node_modules", "lib", ".yarn"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """What was installed last: from which inputs, with which dependency groups."""

    inputs: str = ""
    groups: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path) -> "Stamp":
        """Read it; nothing was installed where there is none."""
        if not path.is_file():
            return cls()
        values = json.loads(path.read_text())
        return cls(inputs=values["inputs"], groups=tuple(values["groups"]))

    def save(self, path: Path) -> None:
        """Write it."""
        path.write_text(json.dumps(asdict(self)))


def fingerprint(root: Path = ROOT) -> str:
    """Return a digest of all that an installation is made from, but Python code."""
    digest = hashlib.sha256()
    for path in sorted(_inputs(root)):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _inputs(root: Path) -> Iterator[Path]:
    yield root / "pyproject.toml"
    for part in ("jupyter-config", "labextension"):
        for folder, folders, files in os.walk(root / part):
            folders[:] = [name for name in folders if name not in _MADE]
            for name in files:
                if not name.endswith(".tsbuildinfo"):
                    yield Path(folder) / name


def ensure(environment: Environment, *groups: str) -> None:
    """Install the project with JupyterLab and dependency groups, if anything changed.

    Only Python code may change without a new installation: it is used in place.
    """
    path = environment.path / "project.json"
    stamp = Stamp.load(path)
    inputs = fingerprint()
    wanted = tuple(sorted({*stamp.groups, *groups}))
    changed = stamp.inputs != inputs or not _complete(environment)
    if not changed and wanted == stamp.groups and runtime.choose(os.environ) is None:
        return
    found = facts.read(environment)
    runtime.ensure(environment, found)
    if changed or wanted != stamp.groups:
        node.ensure(environment)
        path.unlink(missing_ok=True)
        _install(environment, found["build"], wanted, rebuild=changed)
        Stamp(inputs=inputs, groups=wanted).save(path)


def _complete(environment: Environment) -> bool:
    """Return whether nothing was removed by hand."""
    packages = ("jupyter_llm_ext", "llama_cpp_python")
    return (
        (BUILT / "package.json").is_file()
        and _NODE_MODULES.is_dir()
        and all(
            any(environment.path.glob(f"lib/python*/site-packages/{name}-*.dist-info"))
            for name in packages
        )
    )


def _install(
    environment: Environment,
    build: list[str],
    groups: tuple[str, ...],
    *,
    rebuild: bool,
) -> None:
    """Install what builds the project, then the project.

    The build runs in this environment instead of one of its own, because what it needs
    is what ends up here anyway: JupyterLab, most of all.
    """
    environ = environment.variables()
    with Step("Installing JupyterLab and the build's tools") as step:
        run(
            environment.pip("install", *build, _EDITABLE),
            log="build-tools",
            environ=environ,
            watch=latest(step),
        )
    if rebuild:
        # The build hook goes by the time of files, which a checkout does not keep.
        shutil.rmtree(BUILT, ignore_errors=True)
    added = f" and groups {', '.join(groups)}" if groups else ""
    with Step(f"Building the front end, installing the project{added}") as step:
        run(
            environment.pip(
                "install",
                "--verbose",
                "--no-build-isolation",
                "--editable=.[lab]",
                *(f"--group={group}" for group in groups),
            ),
            log="project",
            environ=environ,
            watch=latest(step),
        )
