"""Which of a repository's files a reference means."""

import pytest

from llm_ext.catalog.reference import parse
from llm_ext.downloads.choice import Choice, choose
from llm_ext.downloads.hub_file import HubFile
from llm_ext.errors import HubFileAmbiguousError, HubFileNotFoundError

USUAL = [
    "README.md",
    "Tiny-IQ4_XS.gguf",
    "Tiny-Q4_0.gguf",
    "Tiny-Q4_K_M.gguf",
    "Tiny-Q4_K_S.gguf",
    "Tiny-Q8_0.gguf",
    "Tiny-BF16.gguf",
    "Tiny-f16.gguf",
    "imatrix.gguf",
]
PARTS = [f"Q6_K/Big-Q6_K-0000{n}-of-00003.gguf" for n in (1, 2, 3)]


def chosen(paths: list[str], choice: str = "") -> Choice:
    files = [HubFile(path=path, size=1, digest="sha256:0") for path in paths]
    return choose(files, parse(f"hf:org/Tiny-GGUF{choice}"))


def names(paths: list[str], choice: str = "") -> list[str]:
    return [file.path for file in chosen(paths, choice).model]


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ("", "Tiny-Q4_K_M.gguf"),
        (":q4_k_m", "Tiny-Q4_K_M.gguf"),
        (":Q4_0", "Tiny-Q4_0.gguf"),
        (":IQ4_XS", "Tiny-IQ4_XS.gguf"),
        (":Q8_0", "Tiny-Q8_0.gguf"),
        (":F16", "Tiny-f16.gguf"),
        (":BF16", "Tiny-BF16.gguf"),
        (":Tiny-Q8_0.gguf", "Tiny-Q8_0.gguf"),
    ],
)
def test_a_word_of_the_name_is_meant(choice: str, name: str) -> None:
    """Whatever its case, and never a part of a longer word."""
    assert names(USUAL, choice) == [name]


@pytest.mark.parametrize("choice", [":Q4_K", ":Q4", ":Q2_K", ":none.gguf"])
def test_what_there_is_is_listed_where_nothing_fits(choice: str) -> None:
    """A model is never taken for another one that is near."""
    with pytest.raises(HubFileNotFoundError, match=r"Tiny-Q4_K_M\.gguf"):
        chosen(USUAL, choice)


def test_without_a_choice_the_best_known_is_taken() -> None:
    """In order; at last the only one, and otherwise none."""
    order = ["Tiny-Q4_K_M.gguf", "Tiny-Q4_0.gguf", "Tiny-Q5_K_M.gguf", "Tiny-Q8_0.gguf"]
    for number, name in enumerate(order):
        assert names(["Tiny-Q2_K.gguf", *order[number:]]) == [name]
    assert names(["Tiny-Q2_K.gguf", "mmproj-Tiny-f16.gguf"]) == ["Tiny-Q2_K.gguf"]
    with pytest.raises(HubFileAmbiguousError, match=r"Q2_K\.gguf, Tiny-Q3_K_L\.gguf"):
        names(["Tiny-Q3_K_L.gguf", "Tiny-Q2_K.gguf"])
    with pytest.raises(HubFileNotFoundError, match="no GGUF files"):
        names(["model.safetensors"])


def test_several_of_one_quantisation_have_to_be_told_apart() -> None:
    """The one whose name ends there is plain; two such are a question."""
    plain = "Tiny-Q4_K_M.gguf"
    assert names(["Tiny-Q4_K_M-imat.gguf", plain], ":Q4_K_M") == [plain]
    with pytest.raises(HubFileAmbiguousError) as caught:
        names(["Large-Q4_K_M.gguf", plain], ":Q4_K_M")
    assert "Large-Q4_K_M.gguf, Tiny-Q4_K_M.gguf" in str(caught.value)
    many = [f"M{number:02}-Q4_K_M.gguf" for number in range(20)]
    with pytest.raises(HubFileAmbiguousError, match="and 8 more"):
        names(many)


def test_a_split_set_is_one_model_in_order() -> None:
    """In a folder too, and by any of its parts; not when a part is missing."""
    shuffled = [PARTS[2], PARTS[0], PARTS[1]]
    assert names([*USUAL, *shuffled], ":Q6_K") == PARTS
    assert names([*USUAL, *shuffled], f":{PARTS[1]}") == PARTS
    with pytest.raises(HubFileNotFoundError, match="only 2 of its 3 parts"):
        names(PARTS[1:], ":Q6_K")


def test_a_projector_comes_along() -> None:
    """The one in f16, else any; none with a file that is one itself."""
    projectors = ["mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-Q8_0.gguf"]

    def projector(paths: list[str], choice: str = "") -> str | None:
        found = chosen([*USUAL, *paths], choice).projector
        return None if found is None else found.path

    assert projector([]) is None
    assert projector(projectors) == "mmproj-F16.gguf"
    assert projector([projectors[2], projectors[0]]) == "mmproj-BF16.gguf"
    assert projector(projectors, ":Q8_0") == "mmproj-F16.gguf"
    assert projector(projectors, ":mmproj-BF16.gguf") is None


@pytest.mark.parametrize(
    "path",
    [
        "../Tiny-Q4_K_M.gguf",
        "/Tiny-Q4_K_M.gguf",
        "a//Tiny-Q4_K_M.gguf",
        "a\\Tiny-Q4_K_M.gguf",
        "C:Tiny-Q4_K_M.gguf",
        ".hidden/Tiny-Q4_K_M.gguf",
    ],
)
def test_a_path_that_leads_elsewhere_is_not_seen(path: str) -> None:
    """A hub could say anything; nothing is written outside the model's folder."""
    with pytest.raises(HubFileNotFoundError):
        names([path])
