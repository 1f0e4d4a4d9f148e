"""Every load option, on llama.cpp: it does what it says, or is refused in words."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import gguf
import pytest

from llm_ext.core.device import CPU
from llm_ext.core.events import LoadStage
from llm_ext.core.load_options import KVType, LoadOptions, LoraAdapter
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.sequence import Sequence
from llm_ext.errors import InvalidRequestError, LLMError, ModelLoadError
from llm_ext.llama.devices import devices
from llm_ext.llama.estimate import measure
from llm_ext.llama.library import Log, supports_gpus
from llm_ext.llama.model import Model
from llm_ext.worker.build import loaded_model
from tests.models.builder import Shape, write_model
from tests.models.hello import ANSWER, write_hello
from tests.models.lora import write_lora

SHAPE = Shape(embedding=128)  # heads of 32 values, as quantised keys want them
PROMPT = [100, 101, 102]

without_gpu = pytest.mark.skipif(
    supports_gpus(), reason="this build of llama.cpp uses GPUs"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights."""
    folder = tmp_path_factory.mktemp("options")
    return write_model(folder / "m.gguf", shape=SHAPE)


@pytest.fixture
def log() -> Iterator[Log]:
    """Keep llama.cpp quiet."""
    with closing(Log(lambda _text: None)) as log:
        yield log


def quiet(_stage: LoadStage, _fraction: float) -> None:
    """Tell nobody."""


def tokens(path: Path, options: LoadOptions, *, most: int = 24) -> list[int]:
    """Return the greedy answer of a model that was loaded so."""
    with loaded_model(path, options, quiet) as loaded:
        sequence = Sequence(
            request_id=1,
            prompt=PROMPT,
            params=SamplingParams(temperature=0),
            limit=len(PROMPT) + most,
        )
        loaded.engine.submit(sequence)
        while not loaded.engine.idle:
            loaded.engine.step()
        return sequence.answer


def refused(path: Path, options: LoadOptions) -> LLMError:
    with pytest.raises(LLMError) as caught, loaded_model(path, options, quiet):
        pytest.fail("it was loaded")
    return caught.value


@pytest.mark.parametrize(
    ("kv_type", "bytes_a_value"), [("f32", 4.0), ("q8_0", 34 / 32), ("q4_0", 18 / 32)]
)
def test_the_cache_is_stored_as_asked(
    model: Path, kv_type: KVType, bytes_a_value: float
) -> None:
    options = LoadOptions(context_length=2048, kv_type=kv_type)
    with loaded_model(model, options, quiet) as loaded:
        cache = loaded.memory.devices[CPU].cache
    values = 2048 * SHAPE.layers * 2 * SHAPE.kv_heads * SHAPE.head
    assert cache == pytest.approx(values * bytes_a_value, abs=0.02 * 1024 * 1024)


def test_flash_attention_changes_memory_and_no_answer(model: Path) -> None:
    """Without it the products of all queries and keys are kept at once."""
    on = LoadOptions(context_length=2048, flash_attention="on")
    off = LoadOptions(context_length=2048, flash_attention="off")
    assert tokens(model, on) == tokens(model, off)
    with loaded_model(model, on, quiet) as loaded:
        fused = loaded.memory.on(CPU)
    with loaded_model(model, off, quiet) as loaded:
        assert loaded.memory.on(CPU) > 2 * fused


def test_quantised_values_need_flash_attention(model: Path) -> None:
    error = refused(model, LoadOptions(kv_type="q8_0", flash_attention="off"))
    assert isinstance(error, InvalidRequestError)
    assert error.param == "kv_type"
    assert "needs flash attention" in str(error)


def test_a_type_that_the_heads_cannot_have_is_refused_in_llama_cpps_words(
    models: Path,
) -> None:
    error = refused(models / "babble.gguf", LoadOptions(kv_type="q8_0"))
    assert isinstance(error, ModelLoadError)
    assert "does not divide n_embd_head_k=16" in str(error)


def test_an_adapter_changes_the_tokens_by_its_scale(
    model: Path, tmp_path: Path
) -> None:
    path = str(write_lora(tmp_path / "lora.gguf", shape=SHAPE))
    plain = tokens(model, LoadOptions())
    adapted = tokens(model, LoadOptions(lora=(LoraAdapter(path=path),)))
    nothing = LoadOptions(lora=(LoraAdapter(path=path, scale=0.0),))
    assert adapted != plain
    assert tokens(model, nothing) == plain


def test_an_adapter_of_another_model_is_refused_in_words(
    model: Path, tmp_path: Path
) -> None:
    """Of another architecture, of another size, or no adapter at all."""
    qwen = write_lora(tmp_path / "qwen.gguf", shape=SHAPE, architecture="qwen2")
    small = write_lora(tmp_path / "small.gguf", shape=Shape())
    reasons = {
        qwen: "model arch and LoRA arch mismatch",
        small: "incorrect shape",
        model: "expect general.type to be 'adapter'",
        tmp_path / "none.gguf": "No such file",
    }
    for path, reason in reasons.items():
        error = refused(model, LoadOptions(lora=(LoraAdapter(path=str(path)),)))
        assert isinstance(error, ModelLoadError)
        assert f"The adapter {path.name} cannot be applied" in str(error)
        assert reason in str(error)


def test_a_dry_run_refuses_a_missing_adapter_too(log: Log, model: Path) -> None:
    missing = LoadOptions(lora=(LoraAdapter(path="none.gguf"),))
    with pytest.raises(ModelLoadError, match=r"none\.gguf cannot be applied"):
        measure(model, missing, log=log)


def test_without_mapping_the_answer_is_the_same(model: Path) -> None:
    assert tokens(model, LoadOptions(mmap=False)) == tokens(model, LoadOptions())


def test_an_unknown_device_is_refused_with_those_there_are(model: Path) -> None:
    error = refused(model, LoadOptions(devices=("CUDA7",)))
    assert isinstance(error, InvalidRequestError)
    names = ", ".join(device.name for device in devices())
    assert str(error) == f"There is no device 'CUDA7' here. llama.cpp has: {names}."


def test_the_processor_can_be_chosen(model: Path) -> None:
    with loaded_model(model, LoadOptions(devices=(CPU,)), quiet) as loaded:
        assert set(loaded.memory.devices) == {CPU}


@without_gpu
def test_shares_for_devices_that_are_not_there_are_refused(model: Path) -> None:
    error = refused(model, LoadOptions(tensor_split=(1.0, 2.0)))
    assert isinstance(error, InvalidRequestError)
    assert "2 shares, but the model would be put on 0 GPUs" in str(error)


@without_gpu
@pytest.mark.parametrize("layers", ["all", "auto", 1])
def test_a_build_without_gpus_says_so_once_and_computes(
    model: Path, layers: str | int, capfd: pytest.CaptureFixture[str]
) -> None:
    options = LoadOptions().but({"gpu_layers": layers})
    with loaded_model(model, options, quiet) as loaded:
        assert loaded.memory.gpu_layers == 0
    said = capfd.readouterr().err
    assert said.count("built without support for GPUs") == 1


def test_nobody_who_wants_no_gpu_is_told_of_them(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with loaded_model(model, LoadOptions(gpu_layers=0), quiet):
        pass
    assert "GPUs" not in capfd.readouterr().err


def test_a_split_model_is_one_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its files are read, and counted in the progress."""
    whole = write_model(tmp_path / "whole.gguf", shape=SHAPE)
    split = partial(gguf.GGUFWriter, split_max_tensors=8)
    monkeypatch.setattr(gguf, "GGUFWriter", split)
    write_model(tmp_path / "m.gguf", shape=SHAPE)
    files = sorted(tmp_path.glob("m-*.gguf"))
    assert len(files) > 1
    told: list[tuple[LoadStage, float]] = []
    with loaded_model(
        files[0], LoadOptions(), lambda stage, done: told.append((stage, done))
    ) as loaded:
        assert loaded.memory.total > sum(file.stat().st_size for file in files[1:])
    assert tokens(files[0], LoadOptions()) == tokens(whole, LoadOptions())
    read = [done for stage, done in told if stage == "reading"]
    assert len(read) >= len(files)
    assert read == sorted(read)
    assert read[-1] == 1.0


def test_a_missing_part_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = partial(gguf.GGUFWriter, split_max_tensors=8)
    monkeypatch.setattr(gguf, "GGUFWriter", split)
    write_model(tmp_path / "m.gguf", shape=SHAPE)
    first, *_, last = sorted(tmp_path.glob("m-*.gguf"))
    last.unlink()
    assert last.name in str(refused(first, LoadOptions()))


def test_a_vocabulary_tokenises_without_weights(log: Log, tmp_path: Path) -> None:
    path = write_hello(tmp_path / "hello.gguf")
    with closing(
        Model(
            path,
            gpu_layers=0,
            log=log,
            progress=lambda _done: None,
            mode="vocabulary",
        )
    ) as model:
        found = model.vocab.tokens(ANSWER, add_special=True, parse_special=True)
        assert model.vocab.text(found) == ANSWER
        assert model.uses == {}
