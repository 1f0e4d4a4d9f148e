"""Answers a question, with llama.cpp."""

from contextlib import closing
from pathlib import Path

from llm_ext.chat.watchdog import Overrun
from llm_ext.core.runtime_facts import RuntimeFacts
from llm_ext.errors import InvalidRequestError
from llm_ext.ipc.probe import (
    Answer,
    AskCount,
    AskDevices,
    AskEstimate,
    AskPieces,
    AskPrompt,
    AskText,
    AskTokens,
    Counted,
    DevicesFound,
    Estimated,
    PiecesFound,
    PromptFound,
    Question,
    TextFound,
    TokensFound,
)
from llm_ext.llama.devices import devices
from llm_ext.llama.estimate import measure
from llm_ext.llama.library import (
    Log,
    supports_gpus,
    supports_mlock,
    supports_mmap,
    version,
)

from .prompts import prompt
from .vocabularies import Vocabularies

_vocabularies = Vocabularies()


def answer(question: Question, overrun: Overrun) -> Answer:
    """Return the answer.

    ``overrun`` is called, from another thread, if a chat template takes too long.

    Raises:
        InvalidRequestError: The options, or a token, do not fit what there is here.
        ChatTemplateError: The template is missing or refuses the messages.
        ModelError: llama.cpp refused the file.
    """
    match question:
        case AskDevices(id=number):
            return DevicesFound(
                id=number, devices=tuple(devices()), runtime=_runtime_facts()
            )
        case AskEstimate(id=number, path=path, options=options):
            with closing(Log()) as log:
                estimate = measure(Path(path), options, log=log)
            return Estimated(id=number, estimate=estimate)
        case AskTokens(id=number):
            return TokensFound(id=number, tokens=tuple(_tokens(question)))
        case AskCount(id=number):
            return Counted(id=number, count=len(_tokens(question)))
        case AskText() | AskPieces():
            return _written(question)
        case AskPrompt(id=number, path=path, options=options, request=request):
            model = _vocabularies.model(Path(path))
            text = prompt(model, options, request, overrun)
            count = len(model.vocab.tokenize(text))
            return PromptFound(id=number, text=text, tokens=count)


def _tokens(question: AskTokens | AskCount) -> list[int]:
    vocab = _vocabularies.of(Path(question.path))
    return vocab.tokens(
        question.text,
        add_special=question.add_special,
        parse_special=question.parse_special,
    )


def _written(question: AskText | AskPieces) -> TextFound | PiecesFound:
    vocab = _vocabularies.of(Path(question.path))
    for token in question.tokens:
        if not 0 <= token < vocab.size:
            raise InvalidRequestError(
                f"'tokens' has {token}; this model's tokens are 0 to {vocab.size - 1}.",
                param="tokens",
            )
    if isinstance(question, AskText):
        return TextFound(id=question.id, text=vocab.text(question.tokens))
    pieces = tuple(vocab.piece(token, special=True) for token in question.tokens)
    return PiecesFound(id=question.id, pieces=pieces)


def _runtime_facts() -> RuntimeFacts:
    return RuntimeFacts(
        llama_cpp=version(),
        gpu=supports_gpus(),
        mmap=supports_mmap(),
        mlock=supports_mlock(),
    )
