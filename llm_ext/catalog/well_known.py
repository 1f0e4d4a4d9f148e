"""Short names of a few small models, and where the Hugging Face hub has them.

The names are those that Ollama's users know; a name without a tag is its default there.
"""

WELL_KNOWN = {
    "qwen2.5:0.5b": "hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M",
    "qwen2.5:1.5b": "hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M",
    "qwen2.5-coder:1.5b": "hf:Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF:Q4_K_M",
    "qwen3:0.6b": "hf:Qwen/Qwen3-0.6B-GGUF:Q8_0",
    "qwen3:1.7b": "hf:Qwen/Qwen3-1.7B-GGUF:Q8_0",
    "qwen3:4b": "hf:Qwen/Qwen3-4B-GGUF:Q4_K_M",
    "qwen3:8b": "hf:Qwen/Qwen3-8B-GGUF:Q4_K_M",
    "qwen3": "hf:Qwen/Qwen3-8B-GGUF:Q4_K_M",
    "llama3.2:1b": "hf:bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M",
    "llama3.2:3b": "hf:bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
    "llama3.2": "hf:bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
    "smollm2:135m": "hf:bartowski/SmolLM2-135M-Instruct-GGUF:Q4_K_M",
    "smollm2:360m": "hf:bartowski/SmolLM2-360M-Instruct-GGUF:Q4_K_M",
    "smollm2:1.7b": "hf:bartowski/SmolLM2-1.7B-Instruct-GGUF:Q4_K_M",
    "smollm2": "hf:bartowski/SmolLM2-1.7B-Instruct-GGUF:Q4_K_M",
    "gemma3:1b": "hf:ggml-org/gemma-3-1b-it-GGUF:Q4_K_M",
    "gemma3:4b": "hf:ggml-org/gemma-3-4b-it-GGUF:Q4_K_M",
    "gemma3": "hf:ggml-org/gemma-3-4b-it-GGUF:Q4_K_M",
    "nomic-embed-text": "hf:nomic-ai/nomic-embed-text-v1.5-GGUF:Q8_0",
    "bge-m3": "hf:gpustack/bge-m3-GGUF:Q8_0",
    "bge-reranker-v2-m3": "hf:gpustack/bge-reranker-v2-m3-GGUF:Q8_0",
}
"""Each with the quantisation to take, which its repository has."""
