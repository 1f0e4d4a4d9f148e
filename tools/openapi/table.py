"""Every route and verb: a new one is a line here.

The types are those that parse requests and make replies. Some are their file's own;
that they are named here, too, is no reason to use them elsewhere.
"""

from dataclasses import replace
from http import HTTPStatus

import msgspec

from llm_ext.core.changes import (
    DownloadChanged,
    DownloadRemoved,
    ModelChanged,
    ModelRemoved,
    ProviderChanged,
    WorkerChanged,
)
from llm_ext.core.conversation import Changes, Conversation, OpenConversation
from llm_ext.core.download_status import DownloadStatus
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.preflight import Preflight
from llm_ext.core.prompt import Prompt, PromptText
from llm_ext.core.provider_status import RemoteModel
from llm_ext.core.server_status import ServerStatus
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.wire import (
    conversations,
    downloads,
    helpers,
    keys,
    native,
    prompts,
    providers,
    resources,
)
from llm_ext.wire.anthropic import (
    errors as anthropic_errors,
    messages_reply,
    messages_request,
)
from llm_ext.wire.changes import Snapshot
from llm_ext.wire.conversation_reply import Opening
from llm_ext.wire.ollama import (
    chat_request as ollama_chat,
    embed,
    errors as ollama_errors,
    generate_request,
    models as ollama_models,
    pull,
    show,
)
from llm_ext.wire.ollama.reply import Document
from llm_ext.wire.ollama.statistics import Statistics
from llm_ext.wire.openai import (
    chat_request,
    completions,
    embeddings,
    models,
    rerank,
)
from llm_ext.wire.openai.chat_reply import Chunk, Completion
from llm_ext.wire.openai.completion_reply import TextCompletion
from llm_ext.wire.openai.errors import ErrorReply
from llm_ext.wire.progress import LoadingStatus, ReadyStatus, Status
from llm_ext.wire.responses import response, response_request
from llm_ext.wire.transcripts.formats import FORMATS

from .operation import ENDS, Operation

_CREATED, _ACCEPTED = HTTPStatus.CREATED, HTTPStatus.ACCEPTED

_FILES = tuple(kind.media_type for kind in FORMATS.values())
_LOAD = {"status": LoadingStatus | ReadyStatus, "error": ErrorReply}
_CHAT = {"message": (Chunk, ErrorReply), "status": Status}
_PROMPT = {
    "start": prompts._Started,
    "status": Status,
    "content": prompts._Content,
    "reasoning": prompts._Content,
    "done": prompts._Done,
    "error": ErrorReply,
}
_STREAM = {"X-Stream-Id": "An id by which the stream can be read again."}
_REVISION = {"If-Match": "The revision that the client knows; another one is refused."}
_AUTOLOAD = {
    "autoload": "false, or 0, to be refused rather than have a model of this machine "
    "loaded for the request."
}
_FORMAT = {"format": f"One of {', '.join(FORMATS)}."}


OllamaAnswer = msgspec.defstruct(
    "Answer",
    [
        (field.name, field.type, field.default)
        for field in msgspec.structs.fields(Statistics)
    ],
    bases=(Document,),
    module=Document.__module__,
    namespace={"__doc__": "An answer, or a part of it; the last has statistics."},
    kw_only=True,
)
_OLLAMA = Operation(
    reply=OllamaAnswer,
    lines=(OllamaAnswer, ollama_errors.ErrorReply),
    events={"message": (OllamaAnswer, ollama_errors.ErrorReply)},
    error=ollama_errors.ErrorReply,
)


def _ollama(reply: object, body: object = None) -> Operation:
    return Operation(body=body, reply=reply, error=ollama_errors.ErrorReply)


def _tagged(*kinds: type[msgspec.Struct]) -> dict[str, object]:
    """Return events that are called by their types' tags."""
    return {str(kind.__struct_config__.tag): kind for kind in kinds}


TABLE: dict[str, dict[str, Operation]] = {
    "health/live": {"get": Operation(reply=native.Health)},
    "health/ready": {"get": Operation(reply=native.Health)},
    "openapi.json": {"get": Operation(reply=dict)},
    "models": {"get": Operation(reply=native.ModelsReply)},
    "models/{id}": {
        "get": Operation(reply=(ModelStatus, RemoteModel)),
        "delete": ENDS,
    },
    "models/{id}/load": {
        "post": Operation(
            body=native.LoadCall, reply=ModelStatus, status=_ACCEPTED, events=_LOAD
        )
    },
    "models/{id}/unload": {
        "post": Operation(body=native.UnloadCall, reply=ModelStatus)
    },
    "models/{id}/pin": {"post": Operation(body=native.PinCall, reply=ModelStatus)},
    "preflight": {
        "get": Operation(
            reply=Preflight,
            query={
                "model": "The model's id.",
                "context_length": "As in the load's options, as are other fields of "
                "them that hold a single value.",
            },
        ),
        "post": Operation(body=native.PreflightCall, reply=Preflight),
    },
    "status": {"get": Operation(reply=ServerStatus)},
    "events": {
        "get": Operation(
            events={
                "snapshot": Snapshot,
                "model": ModelChanged,
                "model_removed": ModelRemoved,
                "download": DownloadChanged,
                "download_removed": DownloadRemoved,
                "worker": WorkerChanged,
                "provider": ProviderChanged,
            },
            query={"since": "As the header Last-Event-ID."},
            headers={"Last-Event-ID": "The id of the last event that was seen."},
        )
    },
    "workers": {
        "get": Operation(reply=native.WorkersReply),
        "post": Operation(
            body=native.WorkerCall,
            reply=WorkerStatus,
            status=_ACCEPTED,
            events={"worker": WorkerStatus, **_LOAD},
        ),
    },
    "workers/{id}": {
        "get": Operation(reply=WorkerStatus),
        "delete": Operation(
            status=HTTPStatus.NO_CONTENT,
            query={"force": "1 to end it although requests run."},
        ),
    },
    "downloads": {
        "get": Operation(reply=downloads.DownloadsReply),
        "post": Operation(
            body=downloads.DownloadCall,
            reply=DownloadStatus,
            status=_ACCEPTED,
            events={"download": DownloadStatus},
        ),
    },
    "downloads/{id}": {"get": Operation(reply=DownloadStatus), "delete": ENDS},
    "downloads/{id}/pause": {"post": Operation(reply=DownloadStatus)},
    "downloads/{id}/resume": {"post": Operation(reply=DownloadStatus)},
    "downloads/{id}/cancel": {"post": Operation(reply=DownloadStatus)},
    "catalog/resources": {
        "get": Operation(
            reply=resources.ResourcesReply,
            query={
                "provider": "Only resources of this provider.",
                "capability": "Only models that can be asked for this.",
                "status": "Only resources with this status.",
            },
        )
    },
    "conversations": {
        "get": Operation(
            reply=conversations.ConversationsReply,
            query={
                "search": "Only conversations in which these words stand.",
                "limit": f"How many at most, up to {conversations.MAX_LIMIT}.",
                "before": "Only those that were last changed before this time.",
            },
        ),
        "post": Operation(
            body=conversations._Create,
            reply=OpenConversation,
            status=_CREATED,
        ),
    },
    "conversations/import": {
        "post": Operation(
            sends=_FILES, reply=OpenConversation, status=_CREATED, query=_FORMAT
        )
    },
    "conversations/{id}": {
        "get": Operation(reply=OpenConversation),
        "patch": Operation(body=Changes, reply=Conversation, headers=_REVISION),
        "delete": Operation(status=HTTPStatus.NO_CONTENT, headers=_REVISION),
    },
    "conversations/{id}/export": {"get": Operation(gives=_FILES, query=_FORMAT)},
    "conversations/{id}/messages": {
        "post": Operation(
            body=conversations.AppendCall,
            reply=conversations.MessagesReply,
            status=_CREATED,
            headers=_REVISION,
        )
    },
    "conversations/{id}/messages/{message}": {
        "delete": Operation(status=HTTPStatus.NO_CONTENT, headers=_REVISION)
    },
    "conversations/{id}/reply": {
        "get": Operation(
            events={**_CHAT, "message": (Opening, Chunk, ErrorReply)},
            may_be_empty=True,
        ),
        "post": Operation(
            body=conversations._Reply,
            events={**_CHAT, "message": (Opening, Chunk, ErrorReply)},
            query=_AUTOLOAD,
        ),
    },
    "conversations/{id}/stop": {"post": ENDS},
    "prompts": {
        "get": Operation(reply=prompts.PromptsReply),
        "post": Operation(body=PromptText, reply=Prompt, status=_CREATED),
    },
    "prompts/{id}": {
        "get": Operation(reply=Prompt),
        "put": Operation(body=PromptText, reply=Prompt),
        "delete": ENDS,
    },
    "prompts/{id}/execute": {
        "post": Operation(
            body=prompts._Execute, reply=prompts.PromptAnswer, query=_AUTOLOAD
        )
    },
    "prompts/{id}/execute/stream": {
        "post": Operation(
            body=prompts._Execute,
            events=_PROMPT,
            query=_AUTOLOAD,
            headers=_STREAM,
        )
    },
    "providers": {"get": Operation(reply=providers.ProvidersReply)},
    "providers/execute": {
        "post": Operation(
            body=providers.ExecuteBody,
            reply=providers.ProviderAnswer,
            events={
                "status": Status,
                "content": providers.Content,
                "reasoning": providers.Content,
                "done": providers.ProviderAnswer,
                "error": ErrorReply,
            },
            query=_AUTOLOAD,
        )
    },
    "keys": {
        "get": Operation(reply=keys.KeysReply),
        "post": Operation(body=keys._Create, reply=keys.NewKey, status=_CREATED),
    },
    "keys/{id}": {"delete": ENDS},
    "streams/{id}": {"get": Operation(events={**_PROMPT, **_CHAT}), "delete": ENDS},
    "v1/models": {"get": Operation(reply=models.ModelList)},
    "v1/models/{id}": {"get": Operation(reply=models.Model)},
    "v1/chat/completions": {
        "post": Operation(
            body=chat_request._Body,
            reply=Completion,
            events=_CHAT,
            query=_AUTOLOAD,
            headers=_STREAM,
        )
    },
    "v1/completions": {
        "post": Operation(
            body=completions._Body,
            reply=TextCompletion,
            events={"message": (TextCompletion, ErrorReply), "status": Status},
            query=_AUTOLOAD,
            headers=_STREAM,
        )
    },
    "v1/responses": {
        "post": Operation(
            body=response_request.Body,
            reply=response.Response,
            events=_tagged(
                response.Created,
                response.InProgress,
                response.Completed,
                response.Incomplete,
                response.FailedEvent,
                response.ItemAdded,
                response.ItemDone,
                response.PartAdded,
                response.PartDone,
                response.TextAdded,
                response.TextDone,
                response.ThoughtAdded,
                response.ThoughtDone,
                response.ArgumentsAdded,
                response.ArgumentsDone,
            ),
            query=_AUTOLOAD,
        )
    },
    "v1/responses/input_tokens": {
        "post": Operation(body=response_request.Body, reply=response.InputTokens)
    },
    "v1/responses/{id}": {
        "get": Operation(reply=response.Response),
        "delete": Operation(reply=response.Deleted),
    },
    "v1/messages": {
        "post": Operation(
            body=messages_request._Body,
            reply=messages_reply.Message,
            events={
                **_tagged(
                    messages_reply.MessageStart,
                    messages_reply.BlockStart,
                    messages_reply.BlockDelta,
                    messages_reply.BlockStop,
                    messages_reply.MessageDelta,
                    messages_reply.MessageStop,
                    messages_reply.Ping,
                ),
                "error": anthropic_errors.ErrorReply,
            },
            query=_AUTOLOAD,
            error=anthropic_errors.ErrorReply,
        )
    },
    "v1/messages/count_tokens": {
        "post": Operation(
            body=messages_request._CountBody,
            reply=messages_reply.TokenCount,
            error=anthropic_errors.ErrorReply,
        )
    },
    "v1/embeddings": {
        "post": Operation(
            body=embeddings._Body, reply=embeddings.EmbeddingList, query=_AUTOLOAD
        )
    },
    "v1/rerank": {
        "post": Operation(body=rerank._Body, reply=rerank.Ranking, query=_AUTOLOAD)
    },
    "tokenize": {"post": Operation(body=helpers.TokenizeCall, reply=helpers.Tokens)},
    "detokenize": {
        "post": Operation(body=helpers.DetokenizeCall, reply=helpers.Content)
    },
    "apply-template": {
        "post": Operation(body=chat_request._Body, reply=helpers.Prompt)
    },
    "infill": {
        "post": Operation(
            body=helpers._InfillBody,
            reply=helpers.InfillAnswer,
            events={"message": (helpers.InfillAnswer, ErrorReply)},
            query=_AUTOLOAD,
        )
    },
    "": {
        "get": Operation(gives=("text/plain",), error=ollama_errors.ErrorReply),
    },
    "api/version": {"get": _ollama(ollama_models.Version)},
    "api/tags": {"get": _ollama(ollama_models.Tags)},
    "api/ps": {"get": _ollama(ollama_models.Processes)},
    "api/show": {"post": _ollama(show.Shown, show.ShowCall)},
    "api/pull": {
        "post": replace(
            _OLLAMA,
            body=pull.PullCall,
            reply=pull.Progress,
            lines=(pull.Progress, ollama_errors.ErrorReply),
            events={"message": (pull.Progress, ollama_errors.ErrorReply)},
        )
    },
    "api/delete": {"delete": _ollama(None, show.ShowCall)},
    "api/generate": {
        "post": replace(_OLLAMA, body=generate_request._Body, query=_AUTOLOAD)
    },
    "api/chat": {"post": replace(_OLLAMA, body=ollama_chat._Body, query=_AUTOLOAD)},
    "api/embed": {
        "post": replace(_ollama(embed.Embeddings, embed._Body), query=_AUTOLOAD)
    },
    "api/embeddings": {
        "post": replace(_ollama(embed.Embedding, embed._OneBody), query=_AUTOLOAD)
    },
}
"""By path, as OpenAPI writes it, and verb."""
