"""What llama.cpp decides by a model's architecture alone.

From ``llm_arch_is_recurrent``, ``llm_arch_is_hybrid`` and ``create_memory`` of
llama.cpp's ``src/llama-arch.cpp`` and ``src/llama-model.cpp``.
"""

RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
"""Those whose layers keep nothing but a state."""

HYBRID = frozenset(
    {
        "bailingmoe3",
        "deepseek4",
        "falcon-h1",
        "glm5-next",
        "granitehybrid",
        "jamba",
        "kimi-k3",
        "kimi-linear",
        "lfm2",
        "lfm2moe",
        "minimax-01",
        "nemotron_h",
        "nemotron_h_moe",
        "plamo2",
        "qwen35",
        "qwen35moe",
        "qwen3next",
        "qwen4exp",
    }
)
"""Those that have attention layers and recurrent ones."""

ENCODERS = frozenset(
    {
        "bert",
        "eurobert",
        "gemma-embedding",
        "jina-bert-v2",
        "jina-bert-v3",
        "llama-embed",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "t5encoder",
    }
)
"""Those that read a text both ways, for its vectors."""

DIFFUSION = frozenset({"dream", "llada", "llada-moe", "rnd1"})
"""Those that write all of an answer at once, which is no completion token by token."""

WITHOUT_CACHE = DIFFUSION | (ENCODERS - {"llama-embed", "t5encoder"})
"""Those that llama.cpp gives no memory."""

UNSERVED = frozenset(
    {
        "clip",
        "dflash",
        "eagle3",
        "gemma4-assistant",
        "pockettts",
        "t5",
        "wavtokenizer-dec",
    }
)
"""Parts of other models, models of sounds, and those that read with one half and write
with another: nothing here can use them."""
