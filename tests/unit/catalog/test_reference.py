"""How people write where a model is."""

import pytest
from hypothesis import given, strategies as st

from llm_ext.catalog.reference import Reference, is_reference, parse
from llm_ext.catalog.well_known import WELL_KNOWN
from llm_ext.errors import InvalidRequestError

REPO = "Qwen/Qwen3-4B-GGUF"
HUB = "https://huggingface.co"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"hf:{REPO}", Reference(REPO)),
        (f"  HF:{REPO} ", Reference(REPO)),
        (f"hf:{REPO}:q4_k_m", Reference(REPO, quant="Q4_K_M")),
        (f"hf:{REPO}:a/b.GGUF", Reference(REPO, file="a/b.GGUF")),
        (f"hf:{REPO}@v1.0", Reference(REPO, "v1.0")),
        (f"hf:{REPO}@refs/pr/3:x.gguf", Reference(REPO, "refs/pr/3", file="x.gguf")),
        (f"hf.co/{REPO}:Q8_0", Reference(REPO, quant="Q8_0")),
        (f"hf.co/{REPO}:latest", Reference(REPO)),
        (f"huggingface.co/{REPO}", Reference(REPO)),
        (f"{HUB}/{REPO}", Reference(REPO)),
        (f"{HUB}/{REPO}/", Reference(REPO)),
        (f"{HUB}/{REPO}/tree/main", Reference(REPO)),
        (f"{HUB}/{REPO}/tree/v2/Q4_0", Reference(REPO, "v2")),
        (f"{HUB}/{REPO}/blob/main/a.gguf", Reference(REPO, file="a.gguf")),
        (
            f"{HUB}/{REPO}/resolve/refs%2Fpr%2F3/d/a%20b.gguf?download=true",
            Reference(REPO, "refs/pr/3", file="d/a b.gguf"),
        ),
        ("qwen3:4b", Reference(REPO, quant="Q4_K_M")),
        ("Qwen3:4B", Reference(REPO, quant="Q4_K_M")),
    ],
)
def test_every_way_to_write_it_is_understood(text: str, expected: Reference) -> None:
    """And comes out in one form, which means the same."""
    assert parse(text) == expected
    assert parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "llama",
        REPO,
        "hf:",
        "hf:qwen",
        "hf:a/b/c",
        "hf:../b",
        "hf:a/..",
        "hf:a--b/c",
        "hf:a/b@",
        "hf:a/b@../x",
        "hf:a/b:../x.gguf",
        "hf:a/b:/etc/x.gguf",
        "hf:a/b:c\\d.gguf",
        "hf:a/b:no quant",
        "hf:a/b:x.bin/",
        "http://huggingface.co/a/b",
        "https://example.org/a/b",
        "https://huggingface.co@example.org/a/b",
        "https://huggingface.co",
        "https://huggingface.co/a/b/resolve/main/../../x.gguf",
        "https://huggingface.co/a/b/resolve/main/x.safetensors",
        "https://huggingface.co/a/b/discussions/1",
        "https://[",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    """With what was written, and how it should be."""
    with pytest.raises(InvalidRequestError) as caught:
        parse(text)
    assert caught.value.param == "model"
    assert repr(text) in str(caught.value)
    assert "hf:owner/name" in str(caught.value)


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """And what is parsed has a form that is parsed to the same."""
    for wanted in (text, f"hf:{text}", f"hf:a/b:{text}", f"{HUB}/{text}"):
        try:
            found = parse(wanted)
        except InvalidRequestError:
            continue
        assert parse(str(found)) == found


def test_the_well_known_names_are_references() -> None:
    """Each names the quantisation to take, so that no choice is left."""
    for name, text in WELL_KNOWN.items():
        assert str(parse(text)) == text
        assert parse(name) == parse(f"{name}:latest" if ":" not in name else name)
        assert parse(text).quant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf:a/b", True),
        ("https://x", True),
        ("hf.co/a/b", True),
        ("hfx", False),
        ("a/b", False),
    ],
)
def test_a_reference_is_known_by_its_beginning(text: str, *, expected: bool) -> None:
    """Rightly written or not: then it is an error, and no unknown model."""
    assert is_reference(text) is expected
