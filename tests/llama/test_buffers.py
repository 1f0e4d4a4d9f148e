"""llama.cpp's lines about buffers, of builds that are not here too."""

from llm_ext.core.device import CPU, MemoryUse
from llm_ext.llama.buffers import Buffers, added
from llm_ext.llama.placed import placed

MIB = 1024 * 1024


def read(log: str, gpus: tuple[str, ...] = ()) -> Buffers:
    buffers = Buffers(gpus)
    for line in log.splitlines():
        buffers.read(line)
    return buffers


def test_each_buffer_is_its_devices() -> None:
    """What GPUs reach in main memory is main memory; a second size is the new one."""
    buffers = read(
        """
load_tensors: layer   0 assigned to device CPU, is_swa = 0
load_tensors: layer   1 assigned to device CUDA0, is_swa = 0
load_tensors: layer   2 assigned to device CUDA1, is_swa = 0
load_tensors: offloaded 2/3 layers to GPU
load_tensors:    CUDA_Host model buffer size =    10.00 MiB
load_tensors:        CUDA0 model buffer size =    20.00 MiB
load_tensors:        CUDA1 model buffer size =    30.00 MiB
llama_context:  CUDA_Host  output buffer size =     1.00 MiB
llama_kv_cache:        CPU KV buffer size =     2.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =     3.00 MiB
llama_kv_cache: size =    5.00 MiB (   256 cells,   2 layers,  1/1 seqs), K (f16)
llama_memory_recurrent:      CUDA1 RS buffer size =     4.00 MiB
sched_reserve:      CUDA0 compute buffer size =     5.00 MiB
sched_reserve:  CUDA_Host compute buffer size =     6.00 MiB
sched_reserve:      CUDA0 compute buffer size =     7.00 MiB
""",
        gpus=("CUDA0", "CUDA1"),
    )
    assert buffers.layers == ["CPU", "CUDA0", "CUDA1"]
    assert buffers.uses() == {
        CPU: MemoryUse(weights=10 * MIB, cache=2 * MIB, compute=7 * MIB),
        "CUDA0": MemoryUse(weights=20 * MIB, cache=3 * MIB, compute=7 * MIB),
        "CUDA1": MemoryUse(weights=30 * MIB, cache=4 * MIB),
    }


def test_what_was_copied_out_of_the_mapped_file_counts_once() -> None:
    """A mapping spans what lies between; its pages are given up once they are read."""
    buffers = read(
        """
load_tensors:   CPU_Mapped model buffer size =   695.00 MiB
load_tensors:   CPU_REPACK model buffer size =   522.00 MiB
load_tensors:  MTL0_Mapped model buffer size =   100.00 MiB
""",
        gpus=("MTL0",),
    )
    assert buffers.maps
    assert buffers.uses({CPU: 728 * MIB, "MTL0": 90 * MIB}) == {
        CPU: MemoryUse(weights=728 * MIB),
        "MTL0": MemoryUse(weights=90 * MIB),
    }


def test_a_dry_runs_cache_is_shared_out_by_layers() -> None:
    """It says how large the whole is, but 0 for each device's part."""
    buffers = read(
        """
llama_kv_cache: layer   0: dev = CPU
llama_kv_cache: layer   1: filtered
llama_kv_cache: layer   2: dev = Vulkan0
llama_kv_cache: layer   3: dev = Vulkan0
llama_kv_cache:        CPU KV buffer size =     0.00 MiB
llama_kv_cache:    Vulkan0 KV buffer size =     0.00 MiB
llama_kv_cache: size =    9.00 MiB (   256 cells,   3 layers,  1/1 seqs), K (f16)
llama_kv_cache: layer   1: dev = CPU
llama_kv_cache:        CPU KV buffer size =     0.00 MiB
llama_kv_cache: size =    1.00 MiB (   256 cells,   1 layers,  1/1 seqs), K (f16)
""",
        gpus=("Vulkan0",),
    )
    assert buffers.uses() == {
        CPU: MemoryUse(cache=4 * MIB),
        "Vulkan0": MemoryUse(cache=6 * MIB),
    }


def test_tensors_follow_their_layers() -> None:
    """Embeddings stay; where they serve as the output layer they are there twice."""
    tensors = {
        "token_embd.weight": 100,
        "output_norm.weight": 1,
        "blk.0.ffn_up.weight": 10,
        "blk.1.ffn_up.weight": 20,
    }
    layers = [CPU, "CUDA0", "CUDA0"]
    assert placed(tensors, layers) == {CPU: 110, "CUDA0": 121}
    own_output = tensors | {"output.weight": 50}
    assert placed(own_output, layers) == {CPU: 110, "CUDA0": 71}
    assert placed(tensors, [CPU, CPU, CPU]) == {CPU: 131}


def test_uses_are_added_device_by_device() -> None:
    both = added(
        {CPU: MemoryUse(weights=1)}, {CPU: MemoryUse(cache=2), "X": MemoryUse()}
    )
    assert both == {CPU: MemoryUse(weights=1, cache=2), "X": MemoryUse()}
