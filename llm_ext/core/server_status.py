"""What can be said of the whole server at one moment."""

import msgspec

from .device import Device


class DeviceUse(msgspec.Struct, frozen=True, kw_only=True):
    """A device, and what models take of it.

    Attributes:
        device: The device.
        limit: Bytes that models may take together.
        set_aside: Bytes set aside for those that load or are loaded.
    """

    device: Device
    limit: int
    set_aside: int


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What llama.cpp was built for.

    Attributes:
        llama_cpp: Version of llama-cpp-python.
        gpu: Whether it can use GPUs.
        problem: Why it cannot be used at all; None if it can.
    """

    llama_cpp: str = ""
    gpu: bool = False
    problem: str | None = None


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """See the fields' types.

    Attributes:
        version: Of this extension.
        runtime: Of llama.cpp.
        devices: Main memory first.
        models: Models in the catalog.
        loaded: Models with a worker.
        running: Requests that are computed.
        waiting: Requests that wait.
        downloads: Downloads that go on.
    """

    version: str
    runtime: Runtime
    devices: tuple[DeviceUse, ...]
    models: int
    loaded: int
    running: int
    waiting: int
    downloads: int = 0
