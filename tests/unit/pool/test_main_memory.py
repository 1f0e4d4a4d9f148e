"""What a container may use is less than what the machine has."""

from pathlib import Path

import psutil
import pytest

from llm_ext.pool.memory import main_memory


def _group(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    "files",
    [
        {
            "memory.max": "1000000\n",
            "memory.current": "700000\n",
            "memory.stat": "anon 5\ninactive_file 150000\nactive_file 50000\n",
        },
        {
            "memory/memory.limit_in_bytes": "1000000\n",
            "memory/memory.usage_in_bytes": "700000\n",
            "memory/memory.stat": "inactive_file 1\nactive_file 2\n"
            "total_inactive_file 150000\ntotal_active_file 50000\n",
        },
    ],
)
def test_a_containers_limit(tmp_path: Path, files: dict[str, str]) -> None:
    """Both versions of control groups are read; cached files count as free.

    Also those that were read more than once, such as a model that was loaded twice.
    """
    assert main_memory(_group(tmp_path, files)) == (1_000_000, 500_000)


@pytest.mark.parametrize(
    ("line", "folder", "limit", "usage"),
    [
        ("0::/a/b", "", "memory.max", "memory.current"),
        (
            "4:cpu,memory:/a/b",
            "memory/",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
        ),
    ],
)
def test_a_services_limit(
    tmp_path: Path, line: str, folder: str, limit: str, usage: str
) -> None:
    """It is that of the process's own group, or of one around it: the least counts."""
    own = tmp_path / "own"
    own.write_text(f"1:name=systemd:/elsewhere\n{line}\n")
    groups = {"a": (600_000, 500_000), "a/b": (1_000_000, 100_000)}
    files = {}
    for name, (most, used) in groups.items():
        files[f"{folder}{name}/{limit}"] = f"{most}\n"
        files[f"{folder}{name}/{usage}"] = f"{used}\n"
        files[f"{folder}{name}/memory.stat"] = ""
    assert main_memory(_group(tmp_path / "fs", files), own) == (600_000, 100_000)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"memory.max": "max\n", "memory.current": "5\n", "memory.stat": ""},
        {
            "memory/memory.limit_in_bytes": str(2**63 - 4096),
            "memory/memory.usage_in_bytes": "5",
            "memory/memory.stat": "",
        },
    ],
)
def test_without_a_limit_it_is_the_machines(
    tmp_path: Path, files: dict[str, str]
) -> None:
    """As on a laptop, and in a group without a limit of its own."""
    found = main_memory(_group(tmp_path, files))
    assert found.total == psutil.virtual_memory().total
    assert 0 < found.available <= found.total
