"""What is said of a model, by its file's header."""

from collections.abc import Mapping
from typing import TypeAlias

import pytest

from llm_ext.catalog.facts import model_facts
from llm_ext.catalog.gguf import Header, Tensor, Value
from llm_ext.catalog.tensor_type import TENSOR_TYPES
from llm_ext.core.model_facts import ModelFacts
from llm_ext.errors import ModelUnreadableError

F16, Q8_0, Q4_K = (TENSOR_TYPES[number] for number in (1, 8, 12))
LAYERS = 12

Keys: TypeAlias = Mapping[str, Value]


def facts(
    architecture: str = "llama",
    own: Keys | None = None,
    *tensors: Tensor,
    general: Keys | None = None,
) -> ModelFacts:
    """Return the facts of metadata; ``own`` are keys of the architecture."""
    keys: dict[str, Value] = {
        "block_count": LAYERS,
        "context_length": 4096,
        "embedding_length": 64,
        "attention.head_count": 8,
        "attention.head_count_kv": 2,
        **(own or {}),
    }
    metadata: dict[str, Value] = {
        "general.architecture": architecture,
        **{f"{architecture}.{key}": value for key, value in keys.items()},
        **(general or {}),
    }
    table = tensors or (Tensor("token_embd.weight", F16, 64, 0),)
    return model_facts([Header(metadata, table)])


def windows(found: ModelFacts) -> str:
    """Return a "w" for each layer with a window, and a dot for each without."""
    return "".join("w" if layer.window else "." for layer in found.layers)


@pytest.mark.parametrize(
    ("architecture", "own", "size", "expected"),
    [
        ("llama", {"attention.sliding_window": 512}, 0, "............"),
        ("phi3", {"attention.sliding_window": 512}, 0, "............"),
        ("gemma2", {}, 4096, "w.w.w.w.w.w."),
        ("gemma3", {}, 0, "............"),
        ("gemma3", {"attention.sliding_window": 512}, 512, "wwwww.wwwww."),
        ("gpt-oss", {"attention.sliding_window": 128}, 128, "w.w.w.w.w.w."),
        ("llama4", {}, 8192, "www.www.www."),
        ("llama4", {"attention.sliding_window": 0}, 0, "............"),
        ("smallthinker", {"attention.sliding_window": 1}, 4096, ".www.www.www"),
        ("modern-bert", {"attention.sliding_window": 128}, 128, ".ww.ww.ww.ww"),
        ("exaone4", {"attention.sliding_window": 64}, 64, "............"),
        (
            "olmo2",
            {
                "attention.sliding_window": 64,
                "attention.sliding_window_pattern": 3,
            },
            64,
            "ww.ww.ww.ww.",
        ),
        (
            "gemma4",
            {
                "attention.sliding_window": 64,
                "attention.sliding_window_pattern": [True, False] * 6,
            },
            64,
            "w.w.w.w.w.w.",
        ),
    ],
)
def test_each_architecture_has_its_own_windows(
    architecture: str, own: Keys, size: int, expected: str
) -> None:
    """Of llama.cpp's rules the kinds that there are."""
    found = facts(architecture, own)
    assert (found.window, windows(found)) == (size, expected)
    assert found.memory_kind == ("window" if size else "attention")


def test_windowed_heads_can_have_sizes_of_their_own() -> None:
    """And later layers of Gemma 4 keep no keys."""
    found = facts(
        "gemma4",
        {
            "attention.sliding_window": 64,
            "attention.sliding_window_pattern": [True, False] * 6,
            "attention.key_length": 16,
            "attention.key_length_swa": 4,
            "attention.value_length_swa": 6,
            "attention.shared_kv_layers": 2,
        },
    )
    widths = [(layer.key_width, layer.value_width) for layer in found.layers]
    assert widths == [(8, 12), (32, 16)] * 5 + [(0, 0)] * 2


def test_compressed_attention_keeps_no_values() -> None:
    """DeepSeek's: they are computed from what is kept as the key."""
    found = facts(
        "deepseek2",
        {
            "attention.head_count_kv": 1,
            "attention.key_length": 576,
            "attention.value_length": 512,
            "attention.key_length_mla": 192,
            "attention.value_length_mla": 128,
        },
    )
    assert {(one.key_width, one.value_width) for one in found.layers} == {(576, 0)}


def test_layers_that_guess_ahead_keep_nothing() -> None:
    """They are in the file, and count as layers."""
    found = facts("glm4moe", {"nextn_predict_layers": 1})
    assert [one.key_width for one in found.layers] == [16] * 11 + [0]


KINDS: dict[str, tuple[Keys, str]] = {
    "qwen3next": ({}, "sssa" * 3),
    "qwen35": ({"attention.recurrent_layers": [True, False] * 6}, "sa" * 6),
    "qwen35moe": ({"full_attention_interval": 2}, "sa" * 6),
    "minimax-01": ({}, "sssssssassss"),
    "granitehybrid": ({"attention.head_count_kv": [0, 0, 0, 4] * 3}, "sssa" * 3),
    "lfm2": ({"attention.head_count_kv": [0, 2] * 6}, "sa" * 6),
    "falcon-h1": ({}, "b" * 12),
    "nemotron_h": (
        {
            "attention.head_count_kv": [0, 0, 2] * 4,
            "feed_forward_length": [0, 9, 0] * 4,
        },
        "s-a" * 4,
    ),
    "mamba2": ({"attention.head_count": 0}, "s" * 12),
    "rwkv7": ({"attention.head_count": 0, "wkv.head_size": 8}, "s" * 12),
}


@pytest.mark.parametrize("architecture", KINDS)
def test_each_layer_keeps_keys_or_a_state(architecture: str) -> None:
    """A state, keys of attention, both, or nothing."""
    own, expected = KINDS[architecture]
    sizes: Keys = {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 128,
        "ssm.state_size": 16,
        "ssm.group_count": 2,
        "shortconv.l_cache": 3 if architecture == "lfm2" else 0,
    }
    found = facts(architecture, {**sizes, **own})
    marks = {(True, True): "b", (True, False): "a", (False, True): "s"}
    seen = [marks.get((one.key_width > 0, one.state > 0), "-") for one in found.layers]
    assert "".join(seen) == expected
    assert found.memory_kind == (
        "recurrent" if architecture in ("mamba2", "rwkv7") else "hybrid"
    )


@pytest.mark.parametrize(
    ("architecture", "own", "state"),
    [
        (
            "mamba2",
            {
                "ssm.conv_kernel": 4,
                "ssm.inner_size": 128,
                "ssm.state_size": 16,
                "ssm.group_count": 2,
            },
            3 * (128 + 2 * 2 * 16) + 128 * 16,
        ),
        ("rwkv7", {"wkv.head_size": 8}, 64 * (2 + 8)),
        ("rwkv6", {"wkv.head_size": 8, "token_shift_count": 1}, 64 * 9),
        (
            "lfm2",
            {"attention.head_count_kv": 0, "shortconv.l_cache": 3},
            64 * 2,
        ),
        (
            "kimi-linear",
            {"attention.head_count_kv": 0, "kda.head_dim": 4, "ssm.conv_kernel": 4},
            3 * 3 * 8 * 4 + 4 * 4 * 8,
        ),
    ],
)
def test_states_have_the_size_of_their_kind(
    architecture: str, own: Keys, state: int
) -> None:
    """By llama.cpp's formulas."""
    assert facts(architecture, own).layers[0].state == state


def test_weights_are_counted_where_they_lie() -> None:
    """Bytes by the blocks of their types; encoder and decoder layers together."""
    tensors = (
        Tensor("token_embd.weight", Q4_K, 512, 0),
        Tensor("blk.0.attn_q.weight", Q8_0, 64, 0),
        Tensor("enc.blk.0.attn_q.weight", F16, 10, 0),
        Tensor("blk.11.ffn_up.weight", F16, 100, 0),
        Tensor("output_norm.weight", F16, 5, 0),
    )
    found = facts("llama", {}, *tensors)
    assert [one.weights for one in found.layers] == [68 + 20, *[0] * 10, 200]
    assert found.other_weights == 288 + 10
    assert found.output_weights == 288 + 10  # it shares the embeddings
    assert found.weights == sum(tensor.bytes for tensor in tensors)
    assert found.parameters == 512 + 64 + 10 + 100 + 5
    own = facts("llama", {}, *tensors, Tensor("output.weight", F16, 7, 0))
    assert own.output_weights == 10 + 14


def test_quantisation_is_what_the_file_says_or_what_most_of_it_is() -> None:
    """A file made without a type says so itself."""
    few, many = Tensor("a", F16, 10, 0), Tensor("b", Q4_K, 256, 0)
    named = facts("llama", {}, few, many, general={"general.file_type": 15})
    guessed = facts("llama", {}, few, many, general={"general.file_type": 1024 + 7})
    unknown = facts("llama", {}, few, many, general={"general.file_type": 999})
    silent = facts("llama", {}, few, many)
    found = (named, guessed, unknown, silent)
    assert [one.quantization for one in found] == ["Q4_K_M", "Q8_0", "Q4_K", "Q4_K"]


TEMPLATE = "tokenizer.chat_template"
TOKENS = "tokenizer.ggml.tokens"


@pytest.mark.parametrize(
    ("architecture", "own", "general", "expected"),
    [
        ("llama", {}, {}, "completion"),
        ("llama", {}, {TEMPLATE: "{{ m }}"}, "chat completion"),
        ("llama", {}, {TEMPLATE: "{% if tools %}"}, "chat completion tools"),
        ("qwen3", {}, {TEMPLATE: "<think>"}, "chat completion thinking"),
        (
            "qwen2",
            {},
            {TOKENS: ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]},
            "completion infill",
        ),
        ("qwen2", {}, {TOKENS: ["<|fim_prefix|>"]}, "completion"),
        (
            "llama",
            {},
            {f"tokenizer.ggml.{key}_token_id": 1 for key in ("prefix", "suffix")}
            | {"tokenizer.ggml.fim_mid_token_id": 0},
            "completion infill",
        ),
        ("bert", {}, {}, "embedding"),
        ("qwen3", {"pooling_type": 3}, {TEMPLATE: "{{ m }}"}, "embedding"),
        ("llama", {"attention.causal": False}, {}, "embedding"),
        ("clip", {}, {}, ""),
        ("t5", {}, {}, ""),
    ],
)
def test_capabilities_are_what_the_file_lets_expect(
    architecture: str, own: Keys, general: Keys, expected: str
) -> None:
    """No more than what can be asked for here."""
    found = facts(architecture, own, general=general)
    assert " ".join(found.capabilities) == expected
    assert found.chat_template is (TEMPLATE in general)


@pytest.mark.parametrize("head", [True, False])
def test_a_reranker_needs_its_head(*, head: bool) -> None:
    """Without it llama.cpp gives numbers that mean nothing."""
    tensors = [Tensor("token_embd.weight", F16, 64, 0)]
    if head:
        tensors.append(Tensor("cls.weight", F16, 64, 0))
    found = facts("bert", {"pooling_type": 4}, *tensors)
    assert found.capabilities == (("rerank",) if head else ())


@pytest.mark.parametrize("key", ["block_count", "context_length", "embedding_length"])
@pytest.mark.parametrize("value", [-1, 0, 2**63, "many", 1.5, [1]])
def test_without_its_sizes_it_is_no_model(key: str, value: Value) -> None:
    """The key is named."""
    with pytest.raises(ModelUnreadableError, match=rf"llama\.{key}"):
        facts("llama", {key: value})


def test_without_tensors_it_is_no_model() -> None:
    """Such as the files with which vocabularies are tested."""
    with pytest.raises(ModelUnreadableError, match="holds no model"):
        model_facts([Header({"general.architecture": "llama"}, ())])


def test_a_license_is_a_name_and_no_text() -> None:
    """Some files carry all of it."""
    for text, expected in (("mit", "mit"), ("MIT License\n\nCopyright", "")):
        assert facts(general={"general.license": text}).license == expected
