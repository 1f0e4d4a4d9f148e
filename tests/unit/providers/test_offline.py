"""A server that must not use the network asks nobody beyond this machine."""

import asyncio

import pytest

from llm_ext.core.events import Event, Failed
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.settings import ProviderSettings
from llm_ext.errors import ProviderOfflineError
from llm_ext.providers.remote import Remote


def test_a_provider_that_is_off_says_so() -> None:
    """Whether its models are known or not; no connection is tried."""
    settings = ProviderSettings(url="http://lab.invalid/v1", models=("known",))
    request = ChatRequest(
        model="known",
        messages=(ChatMessage(role="user", content="Hi"),),
        sampling=SamplingOptions(),
    )
    told: list[Event] = []

    async def ask() -> Remote:
        remote = Remote("lab", settings, offline=True)
        await remote.look()
        await remote.answer(request, told.append)
        await remote.close()
        return remote

    remote = asyncio.run(ask())
    (event,) = told
    assert isinstance(event, Failed)
    assert event.code == "provider_offline"
    assert remote.status.state == "offline"
    assert [model.id for model in remote.models] == ["lab/known"]
    with pytest.raises(ProviderOfflineError):
        remote.find("other")
