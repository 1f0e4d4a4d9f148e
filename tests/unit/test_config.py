"""Configuration: environment variables, earlier names, and what wins over them."""

from pathlib import Path

import pytest
from traitlets import TraitError
from traitlets.config import Config

from llm_ext.config import LLMConfig
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.settings import ModelSettings


def test_defaults_without_an_environment() -> None:
    """What nobody configured is as documented."""
    settings = LLMConfig().to_settings({})
    assert settings.load == LoadOptions()
    assert settings.keep_alive == 600
    assert settings.limits.waiting == 64


@pytest.mark.parametrize(
    ("variable", "text", "option", "value"),
    [
        ("LLM_EXT_MODEL_FOLDERS", "/a:/b", "model_folders", (Path("/a"), Path("/b"))),
        ("MODELS_PATH", "/a", "model_folders", (Path("/a"),)),
        ("MAX_LOADED_MODELS", "2", "max_loaded_models", 2),
        ("IDLE_TIMEOUT_MS", "300000", "keep_alive", 300.0),
        ("LLM_EXT_KEEP_ALIVE", "1h", "keep_alive", 3600.0),
        ("CATALOG_SERVICE_URL", "http://c", "catalog_service_url", "http://c"),
        ("LLM_EXT_OFFLINE", "true", "offline", True),
        ("LLM_EXT_PRELOAD", "a, b", "preload", ("a", "b")),
        ("LLM_EXT_ALIASES", '{"a": "b"}', "aliases", {"a": "b"}),
        (
            "LLM_EXT_MODELS",
            '{"a": {"keep_alive": "1m"}}',
            "models",
            {"a": ModelSettings(keep_alive=60.0)},
        ),
    ],
)
def test_an_option_from_the_environment(
    variable: str, text: str, option: str, value: object
) -> None:
    """Each option is read from its variable, and from its earlier name."""
    settings = LLMConfig().to_settings({variable: text})
    assert getattr(settings, option) == value


@pytest.mark.parametrize(
    ("variable", "text", "option", "value"),
    [
        ("DEFAULT_GPU_LAYERS", "7", "gpu_layers", 7),
        ("LLM_EXT_GPU_LAYERS", "all", "gpu_layers", "all"),
        ("DEFAULT_GPU_LAYERS", "-1", "gpu_layers", "all"),
        ("DEFAULT_THREADS", "3", "threads", 3),
        ("LLM_EXT_KV_TYPE", "q8_0", "kv_type", "q8_0"),
        ("LLM_EXT_TENSOR_SPLIT", "1,2.5", "tensor_split", (1.0, 2.5)),
    ],
)
def test_a_load_option_from_the_environment(
    variable: str, text: str, option: str, value: object
) -> None:
    """Options of loading are read likewise."""
    settings = LLMConfig().to_settings({variable: text})
    assert getattr(settings.load, option) == value


def test_configuration_wins_over_the_environment() -> None:
    """Also where it says what the default is."""
    config = LLMConfig(config=Config(LLMConfig={"slots": 4}))
    settings = config.to_settings({"LLM_EXT_SLOTS": "9", "DEFAULT_THREADS": "2"})
    assert settings.load.slots == 4
    assert settings.load.threads == 2


def test_what_a_model_does_not_say_of_its_load_is_as_for_all() -> None:
    """It may say what a load request may."""
    own = {"m": {"load": {"context_length": 4096, "gpu_layers": -1}}, "n": {}}
    config = LLMConfig(kv_type="q8_0", threads=3, gpu_layers=7, models=own)
    settings = config.to_settings({})
    assert settings.models["m"].load == LoadOptions(
        context_length=4096, gpu_layers="all", kv_type="q8_0", threads=3
    )
    assert settings.models["n"].load is None


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("threads", 1000),
        ("gpu_layers", 2**31),
        ("models", {"m": {"load": {"treads": 1}}}),
        ("models", {"m": {"load": 5}}),
    ],
)
def test_a_wrong_option_is_named(option: str, value: object) -> None:
    with pytest.raises(TraitError, match=option):
        LLMConfig(**{option: value})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LLM_EXT_SLOTS", "many"),
        ("DEFAULT_THREADS", "1000"),
        ("LLM_EXT_SLOTS", "0"),
        ("IDLE_TIMEOUT_MS", "soon"),
        ("LLM_EXT_KEEP_ALIVE", "a while"),
        ("LLM_EXT_KV_TYPE", "q9"),
        ("LLM_EXT_MODELS", '{"a": {"keepalive": 1}}'),
    ],
)
def test_a_wrong_variable_is_named(variable: str, text: str) -> None:
    """The error names the variable."""
    with pytest.raises(TraitError, match=variable):
        LLMConfig().to_settings({variable: text})
