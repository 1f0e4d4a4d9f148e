"""Every error that this project raises on purpose.

::

    LLMError
    ├── RequestError               the request cannot be served as it was sent
    │   ├── InvalidRequestError      invalid_request
    │   ├── ModelNotFoundError       model_not_found
    │   ├── AmbiguousModelError      model_ambiguous
    │   ├── WorkerNotFoundError      worker_not_found
    │   ├── ModelBusyError           model_busy
    │   ├── ModelNotLoadedError      model_not_loaded
    │   ├── ContextLengthError       context_length_exceeded
    │   ├── InputLengthError         input_too_long
    │   ├── NotSupportedError        not_supported
    │   ├── DownloadNotFoundError    download_not_found
    │   ├── DownloadStateError       download_state
    │   ├── RepositoryNotAllowedError  repository_not_allowed
    │   ├── ConversationNotFoundError  conversation_not_found
    │   ├── MessageNotFoundError     message_not_found
    │   ├── ConversationChangedError conversation_changed
    │   ├── ConversationBusyError    conversation_busy
    │   ├── PromptNotFoundError      prompt_not_found
    │   ├── PromptExistsError        prompt_exists
    │   ├── KeyNotFoundError         key_not_found
    │   ├── KeyRefusedError          invalid_api_key
    │   ├── ModelNotAllowedError     model_not_allowed
    │   ├── StreamNotFoundError      stream_not_found
    │   ├── StreamTakenError         stream_taken
    │   ├── BodyTooLargeError        body_too_large
    │   ├── ResponseNotFoundError    response_not_found
    │   ├── PreviousResponseError    previous_response_not_found
    │   ├── ProviderNotFoundError    provider_not_found
    │   ├── ProviderRefusedError     provider_refused
    │   └── ChatTemplateError        chat_template_error
    │       └── ChatTemplateTimeError  chat_template_timeout
    ├── ModelError                 the model cannot be served as it is
    │   ├── ModelUnreadableError     model_unreadable
    │   ├── ModelLoadError           model_load_failed
    │   ├── ModelCrashesError        model_crashes
    │   └── InsufficientMemoryError  insufficient_memory
    ├── DownloadError              the model cannot be fetched from the hub
    │   ├── OfflineError             offline
    │   ├── HubUnreachableError      hub_unreachable
    │   ├── HubBusyError             hub_busy
    │   ├── HubAnswerError           hub_answer_wrong
    │   ├── HubAccessError           hub_access_denied
    │   ├── RepositoryGatedError     repository_gated
    │   ├── RepositoryNotFoundError  repository_not_found
    │   ├── RevisionNotFoundError    revision_not_found
    │   ├── HubFileNotFoundError     hub_file_not_found
    │   ├── HubFileAmbiguousError    hub_file_ambiguous
    │   ├── DownloadStalledError     download_stalled
    │   ├── ChecksumError            checksum_mismatch
    │   ├── DiskFullError            disk_full
    │   ├── DiskWriteError           disk_write_failed
    │   ├── DownloadElsewhereError   download_elsewhere
    │   └── DownloadDiedError        download_died
    ├── ProviderError              a provider beyond this machine gives no answer
    │   ├── ProviderAccessError      provider_access_denied
    │   ├── ProviderOfflineError     provider_offline
    │   ├── ProviderUnreachableError  provider_unreachable
    │   ├── ProviderTimeoutError     provider_timeout
    │   ├── ProviderBusyError        provider_busy
    │   ├── ProviderFailedError      provider_failed
    │   └── ProviderAnswerError      provider_answer_wrong
    └── UnavailableError           not now: the same request may work later
        ├── QueueFullError           queue_full
        ├── RateLimitedError         rate_limit_exceeded
        ├── ServerStoppingError      server_stopping
        ├── WorkerDiedError          worker_died
        ├── ModelUnloadedError       model_unloaded
        ├── StoreError               store_error
        ├── ProbeError               probe_failed
        └── EngineError              engine_error

A class owns its message (what happened, why, what to do) and a stable ``code``. The
worker and the server exchange errors as ``(code, message, param)``;
:func:`rebuild` makes the error again on the other side. HTTP statuses are no concern
of this file: each dialect maps them once.
"""

import math
from collections.abc import Sequence
from typing import ClassVar


class LLMError(Exception):
    """Base of all. ``str(error)`` is one clear sentence or two for a person.

    Attributes:
        code: Stable, machine-readable name of the class.
        retry: Whether the same request may succeed later.
        param: The request's field that is at fault, where there is one.
        retry_after: Seconds after which it may, where that can be told.
    """

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = False
    retry_after: float | None = None

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class RequestError(LLMError):
    """The request cannot be served as it was sent."""

    code = "invalid_request"


class InvalidRequestError(RequestError):
    """A field is missing, of a wrong type or out of range."""


class ModelNotFoundError(RequestError):
    """No model has this name; another is never served in its place."""

    code = "model_not_found"

    def __init__(self, name: str, *, near: Sequence[str] = ()) -> None:
        hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        super().__init__(f"There is no model {name!r} here.{hint}", param="model")


class AmbiguousModelError(RequestError):
    """Several models answer to this spelling; none is chosen by guessing."""

    code = "model_ambiguous"

    def __init__(self, name: str, *, ids: Sequence[str]) -> None:
        shown = ", ".join(repr(model) for model in ids[:5])
        more = ", ..." if len(ids) > 5 else ""  # noqa: PLR2004 - as many as are shown
        super().__init__(
            f"{name!r} could be any of {len(ids)} models: {shown}{more}. Use one of "
            f"these names.",
            param="model",
        )


class WorkerNotFoundError(RequestError):
    """No worker has this id, or it has ended."""

    code = "worker_not_found"

    def __init__(self, worker_id: str) -> None:
        super().__init__(
            f"There is no worker {worker_id!r}. 'workers' lists those that run.",
            param="id",
        )


class ModelBusyError(RequestError):
    """An unload was asked for while requests run."""

    code = "model_busy"

    def __init__(self, name: str, *, requests: int) -> None:
        what = "1 request is" if requests == 1 else f"{requests} requests are"
        super().__init__(
            f"{what} running on model {name!r}. Wait until they end, or unload it "
            f"with force, which ends them."
        )


class ModelNotLoadedError(RequestError):
    """The model would have to be loaded, which the request forbids."""

    code = "model_not_loaded"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Model {name!r} is not loaded, and 'autoload' forbids to load it for this "
            f"request. Load it first, or leave 'autoload' out.",
            param="autoload",
        )


class ContextLengthError(RequestError):
    """The prompt does not fit into the context that the model was loaded with."""

    code = "context_length_exceeded"

    def __init__(
        self, *, prompt_tokens: int, context_length: int, param: str = "messages"
    ) -> None:
        super().__init__(
            f"The prompt has {prompt_tokens} tokens, but this model was loaded with a "
            f"context of {context_length} tokens, answer included. Shorten the "
            f"{param}, or load the model with a longer context.",
            param=param,
        )


class InputLengthError(RequestError):
    """A text to embed, or a pair to score, is longer than what can be read at once."""

    code = "input_too_long"

    def __init__(self, number: int, *, tokens: int, limit: int, trained: int) -> None:
        remedy = "Shorten it, or split it into parts"
        if limit < trained:
            remedy += (
                f", or load the model with a longer context: it was trained to read "
                f"{trained} tokens"
            )
        super().__init__(
            f"Input {number} (counted from 0) has {tokens} tokens, but this model "
            f"reads at most {limit} here. {remedy}.",
            param="input",
        )


class NotSupportedError(RequestError):
    """The model is not made for what is asked of it, such as to embed or to rank."""

    code = "not_supported"


class ChatTemplateError(RequestError):
    """The model's chat template is missing or refuses these messages."""

    code = "chat_template_error"


class ChatTemplateTimeError(ChatTemplateError):
    """The model's chat template computes for too long; its process ends."""

    code = "chat_template_timeout"

    def __init__(self, *, seconds: float) -> None:
        super().__init__(
            f"This model's chat template was not done after {seconds:g} seconds, so "
            f"its process was ended. The template is faulty or hostile: load the model "
            f"with another one (the option 'chat_template'), or use another model.",
            param="model",
        )


class DownloadNotFoundError(RequestError):
    """No download has this id."""

    code = "download_not_found"

    def __init__(self, download_id: str) -> None:
        super().__init__(
            f"There is no download {download_id!r} here. It may have been removed."
        )


class DownloadStateError(RequestError):
    """The download is in a state in which this cannot be done."""

    code = "download_state"

    def __init__(self, reference: str, *, state: str, remedy: str) -> None:
        super().__init__(f"The download of {reference!r} is {state}. {remedy}")


class RepositoryNotAllowedError(RequestError):
    """The administrator does not allow downloads from this repository."""

    code = "repository_not_allowed"

    def __init__(self, repo: str, *, allowed: Sequence[str]) -> None:
        patterns = ", ".join(allowed) or "none at all"
        super().__init__(
            f"Nothing may be downloaded from {repo!r} here. Allowed are: {patterns}. "
            f"Ask whoever runs this server to add it to allowed_repositories.",
            param="model",
        )


class ConversationNotFoundError(RequestError):
    """The user has no conversation with this id."""

    code = "conversation_not_found"

    def __init__(self, conversation_id: str) -> None:
        super().__init__(
            f"There is no conversation {conversation_id!r}. 'conversations' lists "
            f"yours."
        )


class MessageNotFoundError(RequestError):
    """The conversation has no message with this id."""

    code = "message_not_found"

    def __init__(self, message_id: str, *, param: str | None = None) -> None:
        super().__init__(
            f"This conversation has no message {message_id!r}. It may have been "
            f"deleted.",
            param=param,
        )


class ConversationChangedError(RequestError):
    """The conversation is not what the client thinks that it is."""

    code = "conversation_changed"

    def __init__(self, *, expected: int, revision: int) -> None:
        super().__init__(
            f"The conversation was changed meanwhile: its revision is {revision}, not "
            f"{expected}. Read it again."
        )


class ConversationBusyError(RequestError):
    """An answer is being written in the conversation."""

    code = "conversation_busy"

    def __init__(self) -> None:
        super().__init__(
            "An answer is being written in this conversation. Wait until it ends, or "
            "stop it."
        )


class PromptNotFoundError(RequestError):
    """The user has no prompt with this id."""

    code = "prompt_not_found"

    def __init__(self, prompt_id: str) -> None:
        super().__init__(f"There is no prompt {prompt_id!r}. 'prompts' lists yours.")


class PromptExistsError(RequestError):
    """The user has another prompt with this name."""

    code = "prompt_exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"You already have a prompt named {name!r}. Take another name, or change "
            f"that one.",
            param="name",
        )


class KeyNotFoundError(RequestError):
    """The user has no key with this id."""

    code = "key_not_found"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no key {key_id!r}. 'keys' lists yours.")


class KeyRefusedError(RequestError):
    """The key is not known, or no longer valid."""

    code = "invalid_api_key"

    def __init__(self) -> None:
        super().__init__(
            "This API key is unknown, revoked or expired. Make a new one with "
            "Jupyter's token: POST keys."
        )


class ModelNotAllowedError(RequestError):
    """The key is for other models."""

    code = "model_not_allowed"

    def __init__(self, name: str, *, allowed: Sequence[str]) -> None:
        super().__init__(
            f"This API key may not use model {name!r}. It is for "
            f"{', '.join(allowed) or 'none'}.",
            param="model",
        )


class StreamNotFoundError(RequestError):
    """The caller has no stream with this id, or it ended too long ago."""

    code = "stream_not_found"

    def __init__(self, stream_id: str) -> None:
        super().__init__(
            f"There is no stream {stream_id!r}. It was never begun, or ended too long "
            f"ago. Ask again."
        )


class StreamTakenError(RequestError):
    """Another request of the caller has this stream id."""

    code = "stream_taken"

    def __init__(self, stream_id: str) -> None:
        super().__init__(
            f"The stream {stream_id!r} answers another request. Take a new id for "
            f"each request."
        )


class BodyTooLargeError(RequestError):
    """The request's body is longer than this route takes."""

    code = "body_too_large"

    def __init__(self, *, size: int, limit: int) -> None:
        super().__init__(
            f"The request's body has {size:,} bytes; at most {limit:,} are taken. "
            f"Send less at once."
        )


class ResponseNotFoundError(RequestError):
    """The user has no response with this id, or it is no longer kept."""

    code = "response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__(
            f"There is no response {response_id!r}. It was never stored, or was "
            f"forgotten: only the last ones are kept, until the server ends."
        )


class PreviousResponseError(RequestError):
    """A request goes on from a response that is not there."""

    code = "previous_response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__(
            f"There is no response {response_id!r} to go on from. Only the last ones "
            f"are kept, until the server ends: send the whole conversation as 'input'.",
            param="previous_response_id",
        )


class ProviderNotFoundError(RequestError):
    """No provider has this name."""

    code = "provider_not_found"

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        super().__init__(
            f"There is no provider {name!r} here; there are: {', '.join(known)}. "
            f"Whoever runs this server names them in the option 'providers'.",
            param="provider",
        )


class ProviderRefusedError(RequestError):
    """A provider does not serve the request as it is."""

    code = "provider_refused"

    def __init__(self, provider: str, *, status: int, words: str) -> None:
        super().__init__(
            f"The provider {provider!r} refused the request (status {status})"
            f"{_quoted(words)} Change the request, or ask another model."
        )


class ModelError(LLMError):
    """The model cannot be served as it is."""


class ModelUnreadableError(ModelError):
    """The file is not a GGUF file, or a damaged one."""

    code = "model_unreadable"


class ModelLoadError(ModelError):
    """llama.cpp refused to load the file."""

    code = "model_load_failed"


class ModelCrashesError(ModelError):
    """llama.cpp ended while it only looked at the file."""

    code = "model_crashes"

    def __init__(self, file: str, why: str) -> None:
        super().__init__(
            f"llama.cpp ended unexpectedly while it looked at {file}: {why}. The file "
            f"may be damaged, or the device not made for these options. Load it with "
            f"others, or download it again."
        )


class InsufficientMemoryError(ModelError):
    """The model does not fit, whatever is unloaded."""

    code = "insufficient_memory"


class DownloadError(LLMError):
    """The model cannot be fetched from the hub."""

    code = "download_failed"


class OfflineError(DownloadError):
    """This server must not use the network."""

    code = "offline"

    def __init__(self) -> None:
        super().__init__(
            "This server is set to be offline, so nothing can be downloaded. Unset "
            "the option 'offline' and the variable HF_HUB_OFFLINE, or copy the file "
            "into a model folder."
        )


class HubUnreachableError(DownloadError):
    """There is no connection to the hub, or it was cut again and again."""

    code = "hub_unreachable"
    retry = True

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            f"{host} cannot be reached: {why}. Check the network, the proxy and "
            f"HF_ENDPOINT, then resume the download; what is here already is kept."
        )


class HubBusyError(DownloadError):
    """The hub answered that it cannot serve now, each time it was asked."""

    code = "hub_busy"
    retry = True

    def __init__(self, host: str, *, status: int) -> None:
        why = "it limits how often it may be asked" if status == 429 else "it failed"  # noqa: PLR2004  # Too Many Requests
        super().__init__(
            f"{host} answered with status {status}: {why}. Resume the download "
            f"later; what is here already is kept."
        )


class HubAnswerError(DownloadError):
    """The hub's answer makes no sense."""

    code = "hub_answer_wrong"

    def __init__(self, host: str, what: str) -> None:
        super().__init__(
            f"{host} gave an answer that cannot be used: {what}. Check HF_ENDPOINT, "
            f"and that no proxy changes what it says."
        )


class HubAccessError(DownloadError):
    """The hub does not accept the token, or wants one."""

    code = "hub_access_denied"

    def __init__(self, host: str, repo: str, *, token: bool) -> None:
        if token:
            what = (
                "refused the Hugging Face token that this server has. Check that it "
                "is valid and may read this repository"
            )
        else:
            what = (
                "wants a token, and this server has none. Log in with 'hf auth "
                "login', or set HF_TOKEN where Jupyter is started"
            )
        super().__init__(f"{repo!r}: {host} {what}.")


class RepositoryGatedError(DownloadError):
    """The repository's owner gives access only to those who asked for it."""

    code = "repository_gated"

    def __init__(self, host: str, repo: str, *, token: bool) -> None:
        then = (
            "with the account whose token this server has"
            if token
            else "then log in with 'hf auth login', or set HF_TOKEN where Jupyter is "
            "started"
        )
        super().__init__(
            f"Access to {repo!r} must be asked for. Do so at {host}/{repo} in a "
            f"browser, {then}."
        )


class RepositoryNotFoundError(DownloadError):
    """The hub has no such repository, or does not show it to us."""

    code = "repository_not_found"

    def __init__(self, host: str, repo: str) -> None:
        super().__init__(
            f"{host} has no repository {repo!r}. Check its spelling. If it is "
            f"private, this server needs a token that may read it.",
            param="model",
        )


class RevisionNotFoundError(DownloadError):
    """The repository has no such branch, tag or commit."""

    code = "revision_not_found"

    def __init__(self, repo: str, revision: str) -> None:
        super().__init__(
            f"{repo!r} has no revision {revision!r}. Without one, 'main' is taken.",
            param="model",
        )


class HubFileNotFoundError(DownloadError):
    """The repository has no such file."""

    code = "hub_file_not_found"

    def __init__(self, repo: str, what: str, *, choices: Sequence[str]) -> None:
        if choices:
            hint = f"It has: {', '.join(choices)}."
        else:
            hint = (
                "It has no GGUF files at all: look for one whose name ends with -GGUF."
            )
        super().__init__(f"{repo!r} has no {what}. {hint}", param="model")


class HubFileAmbiguousError(DownloadError):
    """Several of the repository's files could be meant."""

    code = "hub_file_ambiguous"

    def __init__(self, repo: str, what: str, *, choices: Sequence[str]) -> None:
        super().__init__(
            f"{repo!r} has several files that could be {what}. Name one of them: "
            f"{', '.join(choices)}.",
            param="model",
        )


class DownloadStalledError(DownloadError):
    """The connection stood, but nothing came, again and again."""

    code = "download_stalled"
    retry = True

    def __init__(self, host: str, *, seconds: float) -> None:
        super().__init__(
            f"{host} sent nothing for {seconds:g} s, several times. Check the "
            f"network, then resume the download; what is here already is kept."
        )


class ChecksumError(DownloadError):
    """What arrived is not what the hub said that it is."""

    code = "checksum_mismatch"
    retry = True

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file!r} arrived damaged: its checksum is not the one that the hub "
            f"gives. It was deleted; start the download again."
        )


class DiskFullError(DownloadError):
    """There is no room for the files."""

    code = "disk_full"

    def __init__(
        self, folder: object, *, need: int | None = None, free: int | None = None
    ) -> None:
        figures = ""
        if need is not None and free is not None:
            figures = f": {_size(need)} are needed, {_size(free)} are free"
        super().__init__(
            f"There is no room on the disk of {folder}{figures}. Make room, then "
            f"resume the download; what is here already is kept."
        )


class DiskWriteError(DownloadError):
    """The disk refuses to take the files, though it is not full."""

    code = "disk_write_failed"

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"{path} cannot be written: {why}. Check the folder and who may write "
            f"there, then resume the download."
        )


class DownloadElsewhereError(DownloadError):
    """Another server of the same user runs this download."""

    code = "download_elsewhere"

    def __init__(self) -> None:
        super().__init__(
            "Another Jupyter server of yours runs this download. Resume it here if "
            "that server has ended."
        )


class DownloadDiedError(DownloadError):
    """The process that ran the download ended unexpectedly."""

    code = "download_died"
    retry = True

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The process that ran this download ended unexpectedly (status "
            f"{status}). Resume the download; what is here already is kept. The "
            f"server's log has what it printed."
        )


class ProviderError(LLMError):
    """A provider beyond this machine gives no answer."""

    code = "provider_error"


class ProviderAccessError(ProviderError):
    """The provider does not take this server's credential, or there is none to send.

    What the provider says of it is not repeated: it may quote the credential.
    """

    code = "provider_access_denied"

    def __init__(self, provider: str, why: str) -> None:
        super().__init__(
            f"The provider {provider!r} cannot be used: {why}. Whoever runs this "
            f"server has to check the credential in the option 'providers'."
        )


class ProviderOfflineError(ProviderError):
    """This server must not use the network, and the provider is beyond it."""

    code = "provider_offline"

    def __init__(self, provider: str) -> None:
        super().__init__(
            f"This server is set to be offline, so the provider {provider!r} is not "
            f"asked. Unset the option 'offline' and the variable HF_HUB_OFFLINE, or "
            f"use a model of this machine."
        )


class ProviderUnreachableError(ProviderError):
    """There is no connection to the provider."""

    code = "provider_unreachable"
    retry = True

    def __init__(self, provider: str, why: str) -> None:
        super().__init__(
            f"The provider {provider!r} cannot be reached: {why}. Check that it runs, "
            f"and its address in the option 'providers'."
        )


class ProviderTimeoutError(ProviderError):
    """The provider said nothing for too long."""

    code = "provider_timeout"
    retry = True

    def __init__(self, provider: str, *, seconds: float) -> None:
        super().__init__(
            f"The provider {provider!r} sent nothing for {seconds:g} s, so the request "
            f"was given up. Try again, or raise the provider's 'timeout'."
        )


class ProviderBusyError(ProviderError):
    """The provider cannot take the request now."""

    code = "provider_busy"
    retry = True

    def __init__(
        self,
        provider: str,
        *,
        status: int,
        words: str,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            f"The provider {provider!r} cannot take more requests now (status "
            f"{status}){_quoted(words)} Try again shortly."
        )
        self.retry_after = retry_after


class ProviderFailedError(ProviderError):
    """The provider tells of an error of its own."""

    code = "provider_failed"
    retry = True

    def __init__(self, provider: str, *, status: int | None, words: str) -> None:
        when = "in mid-answer" if status is None else f"with status {status}"
        super().__init__(
            f"The provider {provider!r} failed {when}{_quoted(words)} Try again; if it "
            f"stays so, its own log says more."
        )


class ProviderAnswerError(ProviderError):
    """What the provider sends is no answer, or breaks off."""

    code = "provider_answer_wrong"
    retry = True

    def __init__(self, provider: str, what: str) -> None:
        super().__init__(
            f"The provider {provider!r} gave an answer that cannot be used: {what}. "
            f"Check that its address is that of an OpenAI-style API, as OpenAI's "
            f"clients take it (it mostly ends with /v1), and that no proxy changes or "
            f"cuts what it says."
        )


class UnavailableError(LLMError):
    """Not now: the same request may work later."""

    code = "unavailable"
    retry = True


class QueueFullError(UnavailableError):
    """Too many requests wait for this model."""

    code = "queue_full"

    def __init__(
        self, name: str, *, waiting: int, retry_after: float | None = None
    ) -> None:
        super().__init__(
            f"{waiting} requests already wait for model {name!r}. Try again shortly."
        )
        self.retry_after = retry_after


class RateLimitedError(UnavailableError):
    """The user asks more than the administrator allows."""

    code = "rate_limit_exceeded"

    def __init__(self, what: str, *, limit: int, retry_after: float) -> None:
        super().__init__(
            f"You may use {limit} {what} a minute here, and have used them. Try again "
            f"in {math.ceil(retry_after)} s."
        )
        self.retry_after = retry_after


class ServerStoppingError(UnavailableError):
    """The Jupyter server ends."""

    code = "server_stopping"

    def __init__(self) -> None:
        super().__init__("The server is stopping. Try again once it runs.")


class WorkerDiedError(UnavailableError):
    """The process that held the model ended unexpectedly."""

    code = "worker_died"


class ModelUnloadedError(UnavailableError):
    """The model was unloaded while the request ran or waited."""

    code = "model_unloaded"

    def __init__(self, name: str) -> None:
        super().__init__(f"Model {name!r} was unloaded before the request ended.")


class StoreError(UnavailableError):
    """The file in which the server remembers things cannot be used."""

    code = "store_error"

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"The file {path} cannot be used: {why}. Check that its folder can be "
            f"written and that the disk is not full."
        )


class ProbeError(UnavailableError):
    """The process that asks llama.cpp about files and devices gave no answer."""

    code = "probe_failed"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"llama.cpp could not be asked: {why}. Try again; if it stays so, the "
            f"server's log has what it printed."
        )


class EngineError(UnavailableError):
    """This request failed in the worker, which goes on."""

    code = "engine_error"


def _quoted(words: str) -> str:
    """Return the end of a sentence that quotes ``words``, if there are any."""
    return f": {words.rstrip('. ')}." if words else "."


def _size(count: int) -> str:
    """Return ``count`` bytes in a unit that people read."""
    for factor, unit in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"


def _family(root: type[LLMError]) -> dict[str, type[LLMError]]:
    found: dict[str, type[LLMError]] = {}
    for child in root.__subclasses__():
        found.update(_family(child))
        found[child.code] = child
    return found


def rebuild(code: str, message: str, *, param: str | None = None) -> LLMError:
    """Return the error of the class that owns ``code``, with its finished message."""
    kind = _BY_CODE.get(code, LLMError)
    error = kind.__new__(kind)
    LLMError.__init__(error, message, param=param)
    return error


_BY_CODE = _family(LLMError) | {InvalidRequestError.code: InvalidRequestError}
