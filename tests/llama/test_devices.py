"""What there is to compute on."""

import psutil
import pytest

from llm_ext.core.device import CPU
from llm_ext.errors import InvalidRequestError
from llm_ext.llama.devices import device_list, devices, gpu_names


def test_the_processor_comes_first_with_all_of_main_memory() -> None:
    first, *others = devices()
    assert (first.name, first.kind, first.backend) == (CPU, "cpu", "CPU")
    assert first.description
    assert first.total == pytest.approx(psutil.virtual_memory().total, rel=0.05)
    assert all(device.kind != "cpu" for device in others)


def test_a_list_of_devices_ends_with_nothing() -> None:
    """The processor is no device of llama.cpp's list: an empty one leaves it all."""
    assert gpu_names([CPU]) == []
    assert list(device_list([])) == [None]
    with pytest.raises(InvalidRequestError, match="no device 'TPU0' here"):
        gpu_names(["TPU0"])
