"""The GPU that the tests use."""

import pytest

from llm_ext.core.device import Device
from llm_ext.llama.devices import devices
from llm_ext.llama.library import supports_gpus


@pytest.fixture(scope="session")
def gpu() -> Device:
    """The first GPU."""
    found = [device for device in devices() if device.kind != "cpu"]
    if not found:
        pytest.fail(
            f"llama.cpp finds no GPU (built for one: {supports_gpus()}). 'make "
            f"test-gpu' makes one of the processor where there is none."
        )
    return found[0]
