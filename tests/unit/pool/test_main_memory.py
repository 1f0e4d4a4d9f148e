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
            "memory.stat": "anon 5\ninactive_file 200000\n",
        },
        {
            "memory/memory.limit_in_bytes": "1000000\n",
            "memory/memory.usage_in_bytes": "700000\n",
            "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 200000\n",
        },
    ],
)
def test_a_containers_limit(tmp_path: Path, files: dict[str, str]) -> None:
    """Both versions of control groups are read; cached files count as free."""
    assert main_memory(_group(tmp_path, files)) == (1_000_000, 500_000)


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
